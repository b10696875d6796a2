"""What `manage.py jobs up` starts and says, without starting the site."""

import sys
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO

import pytest
from django.db import connection

from jobs.management.output import Output
from jobsite.env import Environment
from jobsite.supervision import up
from jobsite.supervision.child import Child
from jobsite.supervision.site import SitePlan
from jobsite.supervision.supervisor import Supervisor


class Terminal(StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def nowhere(name: str, line: str) -> None:
    """Take a process's line."""


def sleeper(name: str, **options: object) -> Child:
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    return Child(name, sleep, sink=nowhere, **options)  # type: ignore[arg-type]


@pytest.fixture
def children() -> Iterator[list[Child]]:
    made: list[Child] = []
    yield made
    for child in made:
        child.kill()


def test_a_process_is_held_back_until_it_may_start(children: list[Child]) -> None:
    ready: list[bool] = []
    children += [sleeper("first"), sleeper("second", after=lambda: bool(ready))]
    supervisor = Supervisor(children, sink=nowhere, also_watch=lambda: None)
    supervisor.start()
    supervisor.watch()
    assert [each.pid is not None for each in children] == [True, False]
    ready.append(True)
    supervisor.watch()
    started = [each.pid for each in children]
    assert None not in started
    supervisor.watch()
    assert [each.pid for each in children] == started
    supervisor.stop()
    assert None not in [each.exit_code() for each in children]


def test_a_process_that_was_never_started_is_no_trouble_at_the_end(children: list[Child]) -> None:
    children.append(sleeper("held", after=lambda: False))
    supervisor = Supervisor(children, sink=nowhere, also_watch=lambda: None)
    supervisor.start()
    supervisor.stop()
    assert children[0].pid is None
    assert children[0].stop(timedelta(0))


@pytest.mark.django_db
def test_flower_waits_for_a_worker() -> None:
    held = [each.name for each in SitePlan().children(nowhere, {}) if not each.may_start()]
    assert held == ["flower"]
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE jobs_worker RENAME TO gone")
    assert SitePlan().not_ready()[0] == "worker"


@pytest.mark.parametrize(
    ("stream", "log_format", "told"),
    [
        (Terminal(), "auto", {"LOG_FORMAT": "console"}),
        (Terminal(), "json", {}),
        (StringIO(), "auto", {}),
    ],
)
def test_the_processes_write_for_people_if_people_read(
    monkeypatch: pytest.MonkeyPatch, stream: StringIO, log_format: str, told: dict[str, str]
) -> None:
    environment = Environment(log_format=log_format)
    monkeypatch.setattr(up, "environment", lambda: environment)
    assert up._log_format(Output(as_json=False, stream=stream)) == told


@pytest.mark.parametrize(("port", "advised"), [(8000, True), (0, False)])
def test_an_admin_login_is_advised_where_there_is_an_admin(port: int, advised: bool) -> None:
    stream = StringIO()
    up._say_where(SitePlan(web_port=port), [], Output(as_json=False, stream=stream))
    assert ("createsuperuser" in stream.getvalue()) is advised
    assert "Ctrl-C stops everything." in stream.getvalue()
