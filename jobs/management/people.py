"""Finding users by what people type."""

from typing import Any

from django.contrib.auth import get_user_model

from jobs.domain.errors import InvalidAccess


def user_named(name: str) -> Any:
    """Return the user of that name.

    Raises:
        InvalidAccess: there is none.
    """
    model = get_user_model()
    found = model._default_manager.filter(**{model.USERNAME_FIELD: name}).first()
    if found is None:
        raise InvalidAccess(f"there is no user {name!r}; see `manage.py createsuperuser`")
    return found
