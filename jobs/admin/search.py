"""Finding jobs by what people paste into the search field."""

import re
from uuid import UUID

from django.db.models import Q, QuerySet

from jobs.models import Job

_WHOLE = 32
_SHORTEST = 6


def by_whole_id(jobs: QuerySet[Job], term: str) -> QuerySet[Job] | None:
    """Return the one job of that id, or None if the term is not the id of one."""
    digits = _hex_digits(term)
    if len(digits) != _WHOLE:
        return None
    found = jobs.filter(pk=UUID(digits))
    return found if found.exists() else None


def id_matches(term: str) -> Q | None:
    """Return what finds jobs by the beginning or the end of their id; None if it is no such."""
    digits = _hex_digits(term)
    if not _SHORTEST <= len(digits) < _WHOLE:
        return None
    begin = (UUID(digits.ljust(_WHOLE, "0")), UUID(digits.ljust(_WHOLE, "f")))
    matches = Q(pk__range=begin)
    if len(digits) <= 12:  # the last group: longer ends have a hyphen in them
        matches |= Q(pk__iendswith=digits)
    return matches


def _hex_digits(term: str) -> str:
    digits = term.strip().lstrip("…").replace("-", "").lower()
    return digits if re.fullmatch(r"[0-9a-f]+", digits) else ""
