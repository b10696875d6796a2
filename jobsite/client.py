"""The client of the REST API: see `jobs.client`."""

from jobs.client import *  # noqa: F403
from jobs.client import __all__  # noqa: F401
