"""Who a request is from, and whether it may do what the operation does."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja.errors import AuthenticationError, HttpError
from ninja.security import HttpBearer, SessionAuth

from jobs.api.problems import Problem, answer, unauthenticated
from jobs.domain.access import Principal, Scope
from jobs.domain.api_keys import KEY_PREFIX
from jobs.selectors.identity import key_of, principal_of_key, principal_of_user
from jobs.selectors.tokens import principal_of_token
from jobs.services.api_keys import note_use


class ApiRequest(HttpRequest):
    """A request whose sender is known, and may do what the operation does."""

    auth: Principal


class ApiKey(HttpBearer):
    """`Authorization: Bearer …`: an API key, or a token that was made with one."""

    openapi_description = "An API key (`jsk_…`), or a token from `POST /api/token`."

    def __init__(self, scope: Scope | None, *, tokens: bool = True) -> None:
        """Make it.

        Args:
            scope: what the sender has to hold; None: any key will do.
            tokens: whether a token will do as well.
        """
        super().__init__()
        self._scope = scope
        self._tokens = tokens

    def authenticate(self, _request: HttpRequest, token: str) -> Principal:
        """Return the principal of the key or the token.

        Raises:
            AuthenticationError: it is wrong, or has ended.
            Problem: it may not do such things.
        """
        principal = self._principal(token.strip())
        if principal is None:
            raise AuthenticationError
        return _allowed(principal, self._scope)

    def _principal(self, token: str) -> Principal | None:
        if not token.startswith(KEY_PREFIX):
            return principal_of_token(token) if self._tokens else None
        key = key_of(token)
        if key is None:
            return None
        note_use(key)
        return principal_of_key(key)


class Session(SessionAuth):
    """The cookie of someone who is logged in to the admin; a change needs its CSRF token too."""

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self._scope = scope

    def _get_key(self, request: HttpRequest) -> str | None:
        # Whoever sends no cookie is told that a key is missing, not a CSRF token.
        if self.param_name not in request.COOKIES:
            return None
        try:
            return super()._get_key(request)
        except HttpError:
            raise Problem(
                HTTPStatus.FORBIDDEN,
                "csrf_failed",
                "a change by session needs the header X-CSRFToken; programs use an API key",
            ) from None

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        """Return the principal of the user; None if nobody is logged in.

        Raises:
            Problem: the user may not do such things.
        """
        if key is None or not request.user.is_authenticated or not request.user.is_staff:
            return None
        return _allowed(principal_of_user(request.user), self._scope)


def needs(scope: Scope) -> list[Any]:
    """Return what an operation takes as `auth`: by key or by session, with this scope."""
    return [ApiKey(scope), Session(scope)]


def of_the_site(request: ApiRequest) -> None:
    """Do nothing unless the sender sees one tenant alone: what all of them share is not its own.

    Raises:
        Problem: it does.
    """
    if request.auth.tenant:
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "not_for_tenants",
            f"this is of the whole site, and {request.auth.name} sees one tenant alone",
        )


def known_alone(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Have the view, of the API's documents, answer those alone who may see something."""
    ways = needs(Scope.READ)

    @wraps(view)
    def guarded(request: HttpRequest, **rest: Any) -> HttpResponse:
        try:
            if any(way(request) for way in ways):
                return view(request, **rest)
        except AuthenticationError:
            pass
        except Problem as problem:
            return answer(problem)
        if request.headers.get("Accept", "").startswith("text/html"):
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        return answer(unauthenticated())

    return guarded


def _allowed(principal: Principal, scope: Scope | None) -> Principal:
    if scope is not None and not principal.may(scope):
        held = ", ".join(sorted(principal.scopes)) or "none"
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "forbidden",
            f"this needs the scope {scope}; {principal.name} holds {held}",
        )
    return principal
