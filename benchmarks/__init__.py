"""What `manage.py jobs bench` runs: the site at work, beside plain Celery in the same run."""
