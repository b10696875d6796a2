"""What every source of a digest offers."""

from typing import Protocol

from jobs.contrib.digests.activity import Activity, Report, Window


class SourceUnavailable(Exception):
    """The source cannot be read now; another attempt may succeed."""


class Source(Protocol):
    """A repository that can be read."""

    def read(self, window: Window, before: Window, report: Report) -> Activity:
        """Return what happened in `window`, and what it is compared with in `before`.

        Raises:
            PermanentError: it will never be readable; the message says what to do.
            Retry: it asks to be read again after a certain time.
            SourceUnavailable: it cannot be read now.
        """
        ...
