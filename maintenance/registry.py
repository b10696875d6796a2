"""The health checks by name."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.core.exceptions import ImproperlyConfigured

import maintenance.checks

#: Returns a message for people if all is well; raises `Unhealthy` or `Skipped` if not.
Check = Callable[[], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """A check, as `@health_check` declared it.

    Attributes:
        name: unique in the site.
        check: looks once.
        required: whether the whole is unhealthy if this check is.
        readiness: whether `/readyz` asks it, and so whether a web process gets requests.
        timeout: when it is cut off; None for the site's `CHECK_TIMEOUT_SECONDS`.
    """

    name: str
    check: Check
    required: bool = False
    readiness: bool = False
    timeout: timedelta | None = None


_checks: dict[str, HealthCheck] = {}


def health_check(
    name: str,
    *,
    required: bool = False,
    readiness: bool = False,
    timeout: timedelta | None = None,
) -> Callable[[Check], Check]:
    """Declare the decorated function as the health check of that name; see `HealthCheck`.

    Raises:
        ImproperlyConfigured: another function has the name already.
    """

    def declare(check: Check) -> Check:
        known = _checks.get(name)
        if known is not None and _place(known.check) != _place(check):
            raise ImproperlyConfigured(
                f"health check {name!r} is declared twice, in {_place(known.check)} and in "
                f"{_place(check)}; rename one"
            )
        _checks[name] = HealthCheck(
            name=name, check=check, required=required, readiness=readiness, timeout=timeout
        )
        return check

    return declare


def health_checks() -> list[HealthCheck]:
    """Return every check, by name."""
    return [_checks[name] for name in sorted(_checks)]


def readiness_checks() -> list[HealthCheck]:
    """Return the checks that a web process must pass to get requests."""
    return [each for each in health_checks() if each.readiness]


def discover() -> None:
    """Import every module of `maintenance.checks`."""
    for module in pkgutil.iter_modules(maintenance.checks.__path__):
        importlib.import_module(f"{maintenance.checks.__name__}.{module.name}")


def _place(check: Check) -> str:
    return f"{check.__module__}.{getattr(check, '__qualname__', check)}"
