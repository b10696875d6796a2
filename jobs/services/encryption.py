"""Encrypting what is sensitive in parameters, under keys of its own (FIELD_KEYS)."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import transaction
from pydantic import BaseModel
from pydantic_core import to_json

from jobs.domain.errors import ConfigurationError, Unreadable
from jobs.domain.job_types import JobType
from jobs.domain.registry import registry
from jobs.domain.sensitive import opened, sealed
from jobs.models import HookSource, Job, Schedule

_REMEDY = (
    "set FIELD_KEYS to one or several keys with spaces between, the newest first; make one with "
    "`python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'`"
)
_AT_ONCE = 500


@cache
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    if not keys:
        raise ConfigurationError(f"there is no key for sensitive parameters: {_REMEDY}")
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        # Without the value, which may be a key with a letter too many.
        raise ConfigurationError(f"FIELD_KEYS holds something that is no key: {_REMEDY}") from None


def cipher() -> MultiFernet:
    """Return what encrypts by the first key, and decrypts by any.

    Raises:
        ConfigurationError: there is no key, or one cannot be used.
    """
    return _cipher(tuple(settings.FIELD_KEYS))


def seal_params(job_type: JobType, params: BaseModel, stored: dict[str, Any]) -> dict[str, Any]:
    """Return what is stored of the parameters: what is sensitive in them is encrypted.

    The type's name is encrypted with it, so that it opens for jobs of that type alone.

    Raises:
        ConfigurationError: there is no key: nothing is stored in plain instead.
    """
    key = cipher()

    def seal(value: Any) -> str:
        return key.encrypt(to_json([job_type.name, value])).decode()

    return sealed(params, stored, seal)


def open_params(job_type: JobType, stored: dict[str, Any]) -> dict[str, Any]:
    """Return stored parameters in plain.

    Raises:
        ConfigurationError: there is no key.
        Unreadable: none of the keys opens them, or they were sealed for another type.
    """
    return dict(opened(stored, _unsealing(job_type.name)))


def seal_text(text: str, purpose: str) -> str:
    """Return a text encrypted; it opens for the same purpose alone.

    Raises:
        ConfigurationError: there is no key.
    """
    return cipher().encrypt(to_json([purpose, text])).decode()


def open_text(sealed_text: str, purpose: str) -> str:
    """Return a text that was encrypted for this purpose.

    Raises:
        ConfigurationError: there is no key.
        Unreadable: none of the keys opens it, or it was encrypted for something else.
    """
    return str(_unsealing(purpose)(sealed_text))


def _unsealing(job_type: str) -> Callable[[str], Any]:
    key = cipher()

    def unseal(text: str) -> Any:
        try:
            sealed_for, value = json.loads(key.decrypt(text.encode()))
        except InvalidToken:
            raise Unreadable(
                f"what is sealed for {job_type} was encrypted under a key that FIELD_KEYS "
                "does not hold: put it back behind the others"
            ) from None
        if sealed_for != job_type:
            raise Unreadable(f"what is sealed here was sealed for {sealed_for}, not for {job_type}")
        return value

    return unseal


def reencrypt(on_each: Callable[[int], None] | None = None) -> int:
    """Encrypt everything anew by the first key, so that the others can be taken away.

    Each row by itself, and only while it still holds what was read: it can be repeated.

    Returns:
        How many rows were changed.
    """
    key = cipher()
    names = [each.name for each in registry if each.sensitive]
    changed = 0
    for model in (Job, Schedule):
        rows: Any = model.objects.filter(job_type__in=names).order_by("pk")
        last = None
        while page := list(
            (rows if last is None else rows.filter(pk__gt=last)).values_list("pk", "params")[
                :_AT_ONCE
            ]
        ):
            for pk, params in page:
                renewed = _renewed(params, key)
                if renewed != params:
                    with transaction.atomic():
                        row = model.objects.select_for_update().filter(pk=pk).first()
                        if row is not None and row.params == params:
                            changed += model.objects.filter(pk=pk).update(params=renewed)
                if on_each is not None:
                    on_each(changed)
            last = page[-1][0]
    return changed + _reencrypt_hooks(key)


def _reencrypt_hooks(key: MultiFernet) -> int:
    changed = 0
    for source in HookSource.objects.all():
        for name in ("secret", "old_secret"):
            if sealed_text := getattr(source, name):
                setattr(source, name, key.rotate(sealed_text.encode()).decode())
        source.save(update_fields=["secret", "old_secret"])
        changed += 1
    return changed


def _renewed(stored: Any, key: MultiFernet) -> Any:
    return opened(stored, lambda text: {"$sealed": key.rotate(text.encode()).decode()})
