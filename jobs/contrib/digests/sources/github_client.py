"""GitHub's REST API as this project calls it: token, cache of answers, and errors as outcomes."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx
from django.conf import settings
from githubkit import GitHub
from githubkit.cache import MemCacheStrategy
from githubkit.exception import (
    GitHubException,
    PrimaryRateLimitExceeded,
    RateLimitExceeded,
    RequestFailed,
    RequestTimeout,
)
from githubkit.hishel import SyncMemoryStorage

from jobs import PermanentError, Retry
from jobs.contrib.digests.sources.base import SourceUnavailable

_TIMEOUT = httpx.Timeout(30, connect=5)
#: GitHub asks for a minute when it does not say how long.
_PAUSE = timedelta(minutes=1)
_KEPT_FOR = timedelta(days=1)


class AnswerCache(MemCacheStrategy):
    """Keeps answers in the process, so that what has not changed is answered 304.

    A 304 does not count against the rate limit: a digest that ran into it goes through the same
    pages again for free. Answers are dropped after a day.
    """

    def get_hishel_storage(self) -> SyncMemoryStorage:
        """Return the storage, made once."""
        if self._hishel_storage is None:
            self._hishel_storage = SyncMemoryStorage(
                default_ttl=_KEPT_FOR.total_seconds(), keep_unclosed=True
            )
        return self._hishel_storage


#: One for the process; `cleanup()` empties it.
answers = AnswerCache()


class _TimedTransport(httpx.HTTPTransport):
    """Gives each request its timeout back, which hishel 1.x drops: karpetrosyan/hishel #484."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions = {**request.extensions, "timeout": _TIMEOUT.as_dict()}
        return super().handle_request(request)


def _proxy_for(url: str) -> str | None:
    """Return the environment's proxy, which httpx does not look for under a transport of ours."""
    parts = urlsplit(url)
    if proxy_bypass(parts.hostname or ""):
        return None
    proxies = getproxies()
    return proxies.get(parts.scheme) or proxies.get("all")


def github_client() -> GitHub[Any]:
    """Return a client for `GITHUB_API_URL`, with `GITHUB_TOKEN` if there is one."""
    return GitHub(
        settings.GITHUB_TOKEN or None,
        base_url=settings.GITHUB_API_URL,
        user_agent="jobsite-digests",
        timeout=_TIMEOUT,
        transport=_TimedTransport(proxy=_proxy_for(settings.GITHUB_API_URL)),
        cache_strategy=answers,
        # Waiting is the job's business: it frees the worker meanwhile.
        auto_retry=False,
    )


@contextmanager
def github_errors(repository: str) -> Iterator[None]:
    """Turn GitHub's errors into what they mean for the job; the token is in none of them.

    Raises:
        PermanentError: 401, 403, 404, 410, 422, 451.
        Retry: a rate limit; after the time that GitHub names.
        SourceUnavailable: 5xx, a timeout, no connection.
    """
    try:
        yield
    except RateLimitExceeded as error:
        raise _rate_limited(error) from None
    except RequestFailed as error:
        raise _failed(repository, error.response.status_code) from None
    except RequestTimeout:
        raise SourceUnavailable(
            f"GitHub did not answer within {_TIMEOUT.read:.0f} s about {repository}"
        ) from None
    except GitHubException as error:
        cause = type(getattr(error, "exc", error)).__name__
        raise SourceUnavailable(
            f"GitHub could not be reached at {settings.GITHUB_API_URL} ({cause})"
        ) from None


def _rate_limited(error: RateLimitExceeded) -> Retry:
    kind = "rate limit" if isinstance(error, PrimaryRateLimitExceeded) else "secondary rate limit"
    # A reset that has just passed must not make the job spin.
    after = max(error.retry_after, timedelta(seconds=1))
    hint = "" if settings.GITHUB_TOKEN else "; with GITHUB_TOKEN set the limit is much higher"
    seconds = round(after.total_seconds())
    return Retry(f"GitHub's {kind} is used up; it asks to wait {seconds} s{hint}", after=after)


def _failed(repository: str, status: int) -> Exception:
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return Retry(f"GitHub answered 429 about {repository}", after=_PAUSE)
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return SourceUnavailable(f"GitHub answered {status} about {repository}")
    remedies = {
        httpx.codes.UNAUTHORIZED: "check GITHUB_TOKEN: it is wrong, revoked or expired",
        httpx.codes.FORBIDDEN: (
            "check GITHUB_TOKEN: it must be allowed to read the repository's contents, issues and "
            "pull requests"
        ),
        httpx.codes.NOT_FOUND: (
            "check its name; a private repository needs a GITHUB_TOKEN that may read it"
        ),
        httpx.codes.UNAVAILABLE_FOR_LEGAL_REASONS: "the repository is blocked there",
    }
    remedy = remedies.get(httpx.codes(status), "check the repository's name and GITHUB_API_URL")
    return PermanentError(f"GitHub answered {status} about {repository}; {remedy}")
