"""Measure the libraries that people would pick instead, beside Jobsite and plain Celery."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import chart
from benchmarks.ending import clean_up_when_terminated
from benchmarks.figures import Figures
from benchmarks.peers import report
from benchmarks.peers.catalogue import PEERS, Peer
from benchmarks.peers.run import Run, redis_at, scratch_folder
from benchmarks.peers.work import Amount
from jobs.domain.errors import ConfigurationError


def main() -> int:
    """Measure, and print a table."""
    options = _options()
    clean_up_when_terminated()
    amount = Amount(
        count=options.count,
        per_second=options.rate,
        seconds=options.seconds,
        burst_per_second=options.burst_rate,
    )
    try:
        with scratch_folder() as folder, redis_at(options.redis_url, folder) as redis_url:
            run = Run(
                server=options.database_url,
                redis_url=redis_url,
                folder=folder,
                amount=amount,
                tell=_tell,
            )
            machine = {**_machine(), **run.versions(), "count": amount.count}
            results: list[Figures] = []
            for told in run.measure(_peers(options.only)):
                results.append(told)
                if options.json:  # at once: a run takes long, and may be ended
                    _write(options.json, results, machine)
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    table = report.markdown(results) if options.markdown else report.plain(results)
    sys.stdout.write(f"{table}\n")
    return 0 if results else 1


def _write(path: Path, results: list[Figures], machine: Figures) -> None:
    path.write_text(json.dumps({"peers": results, "machine": machine}, indent=2) + "\n")
    chart.draw(chart.of_the_peers(results), path.with_suffix(".svg"))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--only", metavar="rq,huey", default="", help="the names of some peers")
    parser.add_argument("--count", type=int, default=20_000, help="of the jobs that are drained")
    parser.add_argument("--rate", type=float, default=300, help="of the load, in jobs a second")
    parser.add_argument("--seconds", type=float, default=10, help="how long the load lasts")
    parser.add_argument("--burst-rate", type=float, default=5000, help="of the bursts, likewise")
    parser.add_argument("--database-url", default="", help="of a database on the server to measure")
    parser.add_argument("--redis-url", default="", help="of a Redis to measure, which is EMPTIED")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write the figures, and a picture"
    )
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    options = parser.parse_args()
    if min(options.count, options.rate, options.seconds, options.burst_rate) <= 0:
        parser.error("--count, --rate, --seconds and --burst-rate must be more than 0")
    names = {peer.name for peer in PEERS}
    if unknown := [name for name in _names(options.only) if name not in names]:
        parser.error(f"there is no peer {unknown[0]!r}; use some of: {', '.join(sorted(names))}")
    return options


def _names(only: str) -> list[str]:
    return [name.strip().replace("-", "_") for name in only.split(",") if name.strip()]


def _peers(only: str) -> Sequence[Peer]:
    names = _names(only)
    return [peer for peer in PEERS if not names or peer.name in names]


def _machine() -> Figures:
    return {"cores": os.cpu_count(), "python": platform.python_version()}


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
