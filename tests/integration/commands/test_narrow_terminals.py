"""In a terminal tables keep to its width: nothing that names a row is cut, and nothing is gone."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from jobs.backends.memory import drain
from jobs.conf import JobsSettings
from jobs.domain.registry import registry
from jobs.models import Job
from jobs.public import submit
from tests.integration.commands.running import Run


@pytest.fixture(params=[80, 120])
def width(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    columns: int = request.param
    monkeypatch.setattr("jobs.management.output._PIPE_WIDTH", columns)
    return columns


@pytest.fixture
def dead_ids() -> list[str]:
    ids = [
        str(submit("sample.trouble", {"kind": "permanent"}, priority="critical").job_id)
        for _ in range(2)
    ]
    drain()
    # A busy machine must not make the columns of times wider.
    yesterday = timezone.now() - timedelta(hours=25)
    Job.objects.update(created_at=yesterday, finished_at=F("started_at"))
    return ids


def headings(line: str) -> list[str]:
    return [each for each in line.split("  ") if each]


def test_a_list_has_short_ids_and_says_what_it_leaves_out(
    run: Run, width: int, dead_ids: list[str]
) -> None:
    ran = run("list")
    heading, *rows = ran.out.splitlines()
    assert max(map(len, [heading, *rows])) <= width
    assert [row.split()[0] for row in rows] == [each[-8:] for each in reversed(dead_ids)]
    shown = [each.strip() for each in headings(heading)]
    everything = ["job", "type", "state", "priority", "attempt", "created", "ran, or due",
                  "error, or progress"]  # fmt: skip
    gone = [each for each in everything if each not in shown]
    assert gone == ([] if width == 120 else ["priority", "attempt"])
    assert ("no room for: priority, attempt;" in ran.error) is bool(gone)
    assert all("no use" in row for row in rows)


def test_a_column_without_anything_in_it_takes_no_room(run: Run, width: int) -> None:
    submit("sample.echo")
    assert "error" not in run("list").out


def test_programs_are_not_told_of_room(run: Run, width: int, dead_ids: list[str]) -> None:
    assert run("list", "--json").error == ""


def test_the_names_of_settings_are_whole(run: Run, width: int) -> None:
    told = run("config")
    lines = told.out.splitlines()
    assert max(map(len, lines)) <= width
    assert {name.upper() for name in JobsSettings.model_fields} <= {
        line.split(" ")[0] for line in lines
    }
    variables = {f"JOBSITE_{name.upper()}" for name in JobsSettings.model_fields}
    if width == 120:
        assert variables <= set(told.out.split())
    else:
        assert "no room for: environment variable" in told.error


def test_the_names_of_types_and_their_parameters_are_whole(run: Run, width: int) -> None:
    told = run("types").out
    assert max(map(len, told.splitlines())) <= width
    words = set(told.replace(",", " ").split())
    assert {each.name for each in registry} <= words
    assert {name for each in registry for name in each.params_model.model_fields} <= words


@pytest.mark.parametrize("verb", ["stats", "middleware", "show"])
def test_other_tables_keep_to_the_width(
    run: Run, width: int, dead_ids: list[str], verb: str
) -> None:
    told = run(verb, *([dead_ids[0]] if verb == "show" else [])).out
    tables, *_ = told.partition("\nRun 1")
    assert max(map(len, tables.splitlines())) <= width
    assert "…" not in tables
