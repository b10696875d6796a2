"""Ids as callers give them."""

from uuid import UUID

from jobs.domain.errors import InvalidOption


def checked_uuid(name: str, value: object) -> UUID:
    """Return the id.

    Args:
        name: of the option, for the error.
        value: an id, or its text.

    Raises:
        InvalidOption: it is no UUID.
    """
    if isinstance(value, UUID):
        return value
    try:
        return UUID(str(value))
    except ValueError:
        raise InvalidOption(f"{name} must be a UUID, not {str(value)[:40]!r}") from None
