"""Sending requests: with the key, again where that can do no harm, and errors as exceptions."""

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from random import uniform
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from pydantic import ValidationError

from jobs.client.errors import KINDS, ApiError, TooMany, Unreachable
from jobs.domain import wire

_FIRST_PAUSE_SECONDS: Final = 0.2
_LONGEST_PAUSE_SECONDS: Final = 5.0
_LOOPBACK: Final = {"localhost", "127.0.0.1", "::1"}
_PASSING: Final = {502, 503, 504}


class Transport:
    """Requests to one site with one key; for any number of threads."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout: timedelta,
        tries: int,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"the site's address must be http(s)://host[:port], not {url!r}")
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise ValueError(f"{url} would send the key in the clear: use https")
        self._tries = tries
        self._sleep = sleep
        self._http = httpx.Client(
            base_url=f"{url.rstrip('/')}/api",
            headers={"Authorization": f"Bearer {key}", "User-Agent": "jobsite-client"},
            timeout=timeout.total_seconds(),
            follow_redirects=False,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool | None = None,
    ) -> Any:
        """Return what the site answers, as plain data; None if it says nothing.

        Args:
            method: GET, POST and so on.
            path: below `/api`.
            body: plain data, sent as JSON.
            query: what is None is left out.
            headers: beside those of every request.
            repeatable: whether the same request twice does what it does once, so that it may be
                tried again when no answer came; None: for a GET.

        Raises:
            ApiError: see `jobs.client.errors`.
        """
        again = method == "GET" if repeatable is None else repeatable
        given = {name: value for name, value in (query or {}).items() if value is not None}
        request = self._http.build_request(method, path, json=body, params=given, headers=headers)
        for left in reversed(range(self._tries if again else 1)):
            try:
                response = self._http.send(request)
            except httpx.TransportError as error:
                if not left:
                    raise Unreachable(f"{request.url.host} does not answer: {error}") from error
            else:
                if response.status_code not in _PASSING or not left:
                    return _told(response)
            self._pause(self._tries - left)
        raise AssertionError("unreachable")

    def stream(self, path: str, *, query: Mapping[str, Any], headers: Mapping[str, str]) -> Any:
        """Return a context whose value is a response that goes on coming.

        Raises:
            ApiError: the site refuses; see `raise_for`.
        """
        given = {name: value for name, value in query.items() if value is not None}
        quiet = httpx.Timeout(10, read=60)
        return self._http.stream("GET", path, params=given, headers=headers, timeout=quiet)

    def _pause(self, tried: int) -> None:
        longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**tried)
        self._sleep(uniform(0, longest))  # noqa: S311 - spreads those that come again


def raise_for(response: httpx.Response) -> None:
    """Do nothing if the site did what it was asked.

    Raises:
        ApiError: it did not.
    """
    if response.is_success:
        return
    try:
        problem = wire.ProblemDetails.model_validate_json(response.content)
    except ValidationError:
        host = response.request.url.host
        told = f"{host} answered {response.status_code}, and not as the API does"
        raise Unreachable(told) from None
    if response.status_code == 429:
        seconds = response.headers.get("Retry-After", "1")
        wait = timedelta(seconds=int(seconds) if seconds.isdecimal() else 1)
        raise TooMany(problem.detail, problem=problem, retry_after=wait)
    kind = KINDS.get(response.status_code, ApiError)
    raise kind(problem.detail, problem=problem)


def _told(response: httpx.Response) -> Any:
    raise_for(response)
    return response.json() if response.content else None
