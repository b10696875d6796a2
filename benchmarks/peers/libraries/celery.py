"""Plain Celery: a message for each task, no row, no result, no history."""

from benchmarks.peers import record
from benchmarks.plain import QUEUE, app

DISTRIBUTION = "celery"


@app.task
def job(sent: float) -> None:
    """Do nothing but say so."""
    record.record(sent)


def prepare() -> None:
    """Nothing is needed."""


def submit(sent: float) -> None:
    """Submit one job."""
    job.delay(sent)


def left() -> int:
    """Return how many wait for a worker; what it has fetched and not begun is not counted."""
    with app.connection_for_write() as broker:
        channel = broker.default_channel
        return int(channel._size(QUEUE)) + int(channel.client.hlen("unacked"))
