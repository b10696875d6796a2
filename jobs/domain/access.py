"""Who may do what: roles, the scopes they hold, and the principal who acts."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from jobs.domain.errors import InvalidAccess


class Scope(StrEnum):
    """One kind of thing that a principal may do."""

    #: See jobs, queues, schedules, workers, events and figures.
    READ = "read"
    #: Submit jobs, and run schedules now.
    SUBMIT = "submit"
    #: Cancel and retry jobs, pause and resume queues.
    STEER = "steer"
    #: Change schedules and webhook subscriptions, and remove dead letters.
    MANAGE = "manage"
    #: API keys, tenants and the audit log.
    ADMINISTER = "administer"


class Role(StrEnum):
    """What people are to the site: the name of their Django group, and of their keys' role."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    @property
    def scopes(self) -> frozenset[Scope]:
        """What the role may do."""
        return _SCOPES[self]


_SCOPES = {
    Role.VIEWER: frozenset({Scope.READ}),
    Role.OPERATOR: frozenset({Scope.READ, Scope.SUBMIT, Scope.STEER}),
    Role.ADMIN: frozenset(Scope),
}


def role_named(name: str) -> Role:
    """Return the role of that name.

    Raises:
        InvalidAccess: there is none.
    """
    try:
        return Role(name)
    except ValueError:
        raise InvalidAccess(f"there is no role {str(name)[:40]!r}; use {', '.join(Role)}") from None


def scopes_within(role: Role, names: list[str]) -> frozenset[Scope]:
    """Return the scopes of these names; all of the role's if none is named.

    Raises:
        InvalidAccess: there is no such scope, or the role does not hold it.
    """
    scopes = set()
    for name in names:
        try:
            scope = Scope(name)
        except ValueError:
            raise InvalidAccess(
                f"there is no scope {str(name)[:40]!r}; use {', '.join(Scope)}"
            ) from None
        if scope not in role.scopes:
            raise InvalidAccess(
                f"the role {role} does not hold the scope {scope}; it holds "
                f"{', '.join(sorted(role.scopes))}"
            )
        scopes.add(scope)
    return frozenset(scopes) or role.scopes


@dataclass(frozen=True, slots=True)
class Principal:
    """Who acts: a user with a session, or a program with an API key or a token.

    Attributes:
        name: what the audit log keeps, such as `ada` or `key jsk_4f1c… (ci)`.
        scopes: what it may do.
        user_id: the primary key of the user on whose behalf it acts; None without one.
        key_id: the primary key of the API key; None without one.
        tenant: whose things it sees and makes: a tenant's slug; empty: everyone's.
        per_minute: jobs that it may submit in a minute; None: the site's limit.
    """

    name: str
    scopes: frozenset[Scope]
    user_id: Any = None
    key_id: int | None = None
    tenant: str = ""
    per_minute: int | None = None

    @property
    def rate_name(self) -> str:
        """What its submissions are counted by."""
        return f"key:{self.key_id}" if self.key_id is not None else f"user:{self.user_id}"

    def may(self, scope: Scope) -> bool:
        """Return whether it may do such things."""
        return scope in self.scopes
