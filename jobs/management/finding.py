"""Finding the job that someone means: by its id, or by a part of it."""

import re
from uuid import UUID

from django.db.models import Q

from jobs.domain.errors import InvalidOption, JobNotFound
from jobs.models import Job
from jobs.public import get

#: What names a job where there is no room for its id, and the least that does.
SHORTEST = 8
ID_HELP = f"an id, or at least {SHORTEST} characters of its beginning or its end"
_PART = re.compile(rf"[0-9a-f-]{{{SHORTEST},}}")


def short(job_id: UUID) -> str:
    """Return the end of an id: its beginning is the time, which jobs of one minute share."""
    return str(job_id)[-SHORTEST:]


def find(job_id: str) -> Job:
    """Return the job of that id, or the only one whose id begins or ends with it.

    Raises:
        JobNotFound: there is none.
        InvalidOption: there are several; the message names two.
    """
    try:
        return get(job_id)
    except JobNotFound:
        # The admin writes the end of an id with an ellipsis before it.
        part = job_id.strip().removeprefix("…").lower()
        if not _PART.fullmatch(part):
            raise
        meant = Job.objects.filter(Q(pk__startswith=part) | Q(pk__endswith=part))
        found = list(meant.order_by("-pk")[:2])
        if not found:
            raise
    if len(found) > 1:
        raise InvalidOption(
            f"{job_id!r} is part of several jobs' ids, such as {found[0].pk} and {found[1].pk}; "
            "give more of it"
        )
    return found[0]
