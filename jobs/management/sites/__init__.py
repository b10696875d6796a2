"""The sites that verbs work on: this one, or another one over HTTP."""

from jobs.management.sites.here import ThisSite
from jobs.management.sites.port import Site
from jobs.management.sites.remote import RemoteSite, remote_site

__all__ = ["RemoteSite", "Site", "ThisSite", "remote_site"]
