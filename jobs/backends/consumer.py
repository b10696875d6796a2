"""The worker's consumer: one that finds a broker that is back as soon as it is."""

from functools import partial
from typing import Any

from celery.worker import consumer

_RETRY_SECONDS = 1.0


class Consumer(consumer.Consumer):
    """Celery's, but for how often it looks whether the broker is back."""

    def ensure_connected(self, conn: Any) -> Any:
        """Return the connection once it is there, looked for each second.

        Celery 5.7 waits 2 s longer from one look to the next, up to half a minute, and offers no
        setting for it.
        """
        conn.ensure_connection = partial(
            conn.ensure_connection,
            interval_start=_RETRY_SECONDS,
            interval_step=0,
            interval_max=_RETRY_SECONDS,
        )
        return super().ensure_connected(conn)
