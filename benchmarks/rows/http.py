"""What a submission over HTTP takes."""

import http.client
import json
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

from benchmarks import surroundings
from benchmarks.bench import Bench
from benchmarks.figures import Figures, spread
from benchmarks.rows.cost import copy_finished
from jobs.services.api_keys import create_key
from jobsite.supervision.site import LOOPBACK, free_port

_PER_SECOND = 100
#: Connections that the requests are spread over, as over the connections of a proxy.
_CONNECTIONS = 4
_WARM_UP = 400
#: How far the worker steps back for requests: as in `deploy/`.
_NICE = 5
_BODY = json.dumps({"type": "bench.noop", "params": {"n": 1}})


def submission(bench: Bench) -> Figures:
    """M: 100 submissions a second over HTTP, with an empty table, and with a million rows.

    `p50_ms` and so on are what the server took, as gunicorn writes it beside each request, while
    the jobs wait for a worker; `beside_p50_ms` and so on the same while a worker of this machine
    runs them; `seen_p50_ms` and so on what passed at the other end of the connection then, where
    the wait for a thread and the sender's own share of the cores count too.
    """
    bench.empty()
    empty = _both(bench)
    rows = bench.scaled(1_000_000, at_least=10_000)
    copy_finished(bench, rows)
    grown = _both(bench)
    return {**empty, "rows": rows, **{f"{name}_grown": value for name, value in grown.items()}}


def _both(bench: Bench) -> Figures:
    with bench.worker() as worker:
        bench.warm_up()
        for each in bench.family(worker):
            each.nice(_NICE)
        beside = _paced(bench)
        bench.wait_until_drained()
    alone = _paced(bench)
    told = {name: value for name, value in alone.items() if not name.startswith("seen")}
    return {**told, **{_beside(name): value for name, value in beside.items()}}


def _beside(name: str) -> str:
    return name if name.startswith("seen") else f"beside_{name}"


def _paced(bench: Bench) -> Figures:
    key = create_key("bench", role="operator", actor="bench", per_minute=1_000_000).secret
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    port = free_port()
    log = surroundings.folder() / "requests"
    log.unlink(missing_ok=True)
    options = (
        "--bind", f"{LOOPBACK}:{port}", "--workers", "2", "--threads", "8",
        "--access-logfile", str(log), "--access-logformat", "%(m)s %(D)s",
    )  # fmt: skip
    with bench.process("web", "-m", "gunicorn", "jobsite.wsgi", "--no-control-socket", *options):
        bench.wait(lambda: _answers(port), 30)
        # Every thread of every process has to have its connections.
        _all_at_once(port, headers, _WARM_UP)
        seen = _all_at_once(port, headers, bench.scaled(30 * _PER_SECOND, at_least=200))
    took = _in_the_server(log)[-len(seen) :]
    at_the_other_end = {f"seen_{name}": value for name, value in spread(seen).items()}
    return {**spread(took), **at_the_other_end}


def _in_the_server(log: Path) -> list[float]:
    """Return how long each submission took, in seconds, in their order."""
    told = [line.split() for line in log.read_text().splitlines()]
    return [int(microseconds) / 1_000_000 for method, microseconds in told if method == "POST"]


def _all_at_once(port: int, headers: dict[str, str], requests: int) -> list[float]:
    """Send the requests at their pace, over several connections; return how long each took."""
    first = time.monotonic() + 0.1
    pause = _CONNECTIONS / _PER_SECOND
    took: list[list[float]] = [[] for _ in range(_CONNECTIONS)]

    def run(number: int) -> Callable[[], None]:
        begin = first + number / _PER_SECOND

        def send() -> None:
            each = requests // _CONNECTIONS
            took[number] = _send(port, headers, requests=each, first=begin, pause=pause)

        return send

    threads = [threading.Thread(target=run(number)) for number in range(_CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [each for part in took for each in part]


def _send(
    port: int, headers: dict[str, str], *, requests: int, first: float, pause: float
) -> list[float]:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=10)
    took = []
    for number in range(requests):
        due = first + number * pause
        time.sleep(max(0.0, due - time.monotonic()))
        began = time.perf_counter()
        connection.request("POST", "/api/jobs", _BODY, headers)
        response = connection.getresponse()
        answer = response.read()
        took.append(time.perf_counter() - began)
        if response.status != HTTPStatus.ACCEPTED:
            raise RuntimeError(f"a submission was answered {response.status}: {answer[:200]!r}")
    connection.close()
    return took


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=2)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status == HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()
