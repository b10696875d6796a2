"""A client of the REST API, for programs that run elsewhere: it needs no site, and no database.

from jobsite.client import Client

with Client("https://jobs.example.org", key="jsk_…") as site:
accepted = site.submit("reports.export", {"report": "sales"}, priority="high")
job = site.wait(accepted.job_id)
print(job.state, job.result)
"""

from jobs.client.client import Client
from jobs.client.errors import (
    ApiError,
    Conflict,
    JobFailed,
    NotAllowed,
    NotFound,
    Refused,
    TooMany,
    Unreachable,
    WaitedTooLong,
)
from jobs.client.events import Event

__all__ = [
    "ApiError",
    "Client",
    "Conflict",
    "Event",
    "JobFailed",
    "NotAllowed",
    "NotFound",
    "Refused",
    "TooMany",
    "Unreachable",
    "WaitedTooLong",
]
