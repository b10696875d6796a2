"""procrastinate on PostgreSQL."""

import os

import procrastinate
import psycopg

from benchmarks.peers import record

DISTRIBUTION = "procrastinate"
URL = os.environ["PEERS_DATABASE"]
app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=URL))


@app.task(name="job")
async def job(sent: float) -> None:
    """Do nothing but say so."""
    record.record(sent)


def prepare() -> None:
    """Make its tables."""
    app.open()
    app.schema_manager.apply_schema()


def submit(sent: float) -> None:
    """Submit one job."""
    job.defer(sent=sent)


def submit_many(times: list[float]) -> None:
    """Submit in batches of 1,000."""
    for begin in range(0, len(times), 1000):
        batch = times[begin : begin + 1000]
        job.batch_defer(*({"sent": sent} for sent in batch))


def left() -> int:
    """Return how many have not succeeded."""
    with psycopg.connect(URL) as connection:
        found = connection.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE status <> 'succeeded'"
        ).fetchone()
    return int(found[0])
