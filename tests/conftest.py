"""The fixtures of the whole suite. `tests.stack` says what it runs on.

- `redis_url`: Redis, started; `stack`: the whole stack, with the test database made.
- `live_process(command, name=…, env=…)`: a process that ends with the test.
- `worker` and `beat`: the site's own, ready; one and the same for all the tests that ask in a row.
"""

import signal
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from tests.stack import LIVE, Process, Stack, current
from tests.stack.flush import flush_beside_live_processes, flush_past_the_audit_guard
from tests.stack.postgresql import Unavailable
from tests.stack.run import celery

LiveProcess = Callable[..., Process]
#: The folders whose tests are chosen with `-m`.
_MARKED = {"unit", "integration", "acceptance", "conformance"}


def pytest_configure() -> None:
    """Have the processes that tests start hear Ctrl-C: those of a shell's background job do not."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def services() -> Stack:
    """The database server and Redis, without a database yet."""
    stack = current()
    try:
        stack.start()
    except Unavailable as error:
        pytest.exit(f"PostgreSQL tests cannot run: {error}", returncode=3)
    return stack


@pytest.fixture(scope="session")
def django_db_modify_db_settings(services: Stack) -> None:
    """Have the servers run before pytest-django makes the test database."""


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> None:
    """Make the test database, as pytest-django does."""
    flush_past_the_audit_guard()


@pytest.fixture(scope="session")
def stack(
    services: Stack, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Stack]:
    services.use_database(str(connection.settings_dict["NAME"]))
    flush_beside_live_processes()
    yield services
    # Before the test database goes: PostgreSQL drops none that is in use.
    services.end_shared()
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture
def redis_url(services: Stack) -> str:
    return services.redis_url


@pytest.fixture
def live_process(stack: Stack) -> Iterator[LiveProcess]:
    started: list[Process] = []

    def start(
        command: Sequence[str], *, name: str = "process", env: Mapping[str, str] | None = None
    ) -> Process:
        started.append(stack.process(command, name=name, env=env or {}))
        return started[-1]

    yield start
    for process in reversed(started):
        process.terminate()


@pytest.fixture
def worker(stack: Stack, transactional_db: None) -> Process:
    return stack.shared(
        "worker", celery("worker", "--concurrency", "2", "-n", "shared@%h"), ready="ready."
    )


@pytest.fixture
def beat(stack: Stack, transactional_db: None) -> Process:
    return stack.shared("beat", celery("beat"), ready="beat: Starting")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark it by its folder, so that `-m` chooses by it."""
    for folder in _MARKED.intersection(item.path.parts):
        item.add_marker(folder)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put what needs live processes last, and those that share the same ones together.

    What no database makes a difference to is held on SQLite alone: all of the unit tests, and what
    is marked `once`.
    """

    def shared(item: pytest.Item) -> tuple[bool, ...]:
        names = getattr(item, "fixturenames", ())
        live = not {"unit", "integration"} & {mark.name for mark in item.iter_markers()}
        return live, "worker" in names, "beat" in names

    held: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        marks = {mark.name for mark in item.iter_markers()}
        once = {"once", "unit"} & marks and "long" not in marks
        (left if once and current().name != "sqlite" else held).append(item)
    config.hook.pytest_deselected(items=left)
    items[:] = sorted(held, key=shared)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """End the shared worker and beat before a test that does not expect them."""
    current().end_shared(besides=getattr(item, "fixturenames", ()))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the logs of the live processes with a test that fails."""
    report = yield
    if report.failed:
        for process in LIVE:
            report.sections.append((f"log of {process.name}", process.tail()))
    return report


def pytest_unconfigure() -> None:
    """End all that the run started."""
    current().close()
