"""Running the site's processes on one machine: `manage.py jobs up`."""
