"""What all verbs of `manage.py jobs` have in common."""

import json
from uuid import uuid4

import pytest
from django.db import connection

from jobs.management.exit_codes import ExitCode
from jobs.management.verbs import all_verbs
from tests.integration.commands.running import DONE, FAILED, USAGE, Run

ALL = all_verbs()


@pytest.mark.parametrize("verb", ALL)
def test_it_has_help(run: Run, verb: str) -> None:
    ran = run(verb, "--help")
    assert ran.code == DONE
    assert f"jobs {verb}" in ran.out
    assert (ALL[verb].__doc__ or "").partition("\n")[0] in ran.out


def test_they_are_listed_with_the_exit_codes(run: Run) -> None:
    told = run("--help").out
    assert [verb for verb in ALL if f"\n    {verb} " not in told] == []
    assert "exit codes:" in told
    assert "  3    not found" in told


def test_without_a_verb_they_are_listed_too(run: Run) -> None:
    ran = run()
    assert (ran.code, "\n    submit " in ran.out) == (USAGE, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ["submit", "sample.echo"],
        ["list"],
        ["queues"],
        ["pause", "low"],
        ["resume", "low"],
        ["tick", "all"],
        ["ledger"],
        ["types"],
        ["stats"],
        ["purge", "--dry-run"],
        ["autotune"],
        ["config"],
        ["middleware"],
        ["metrics"],
        ["redis"],
    ],
    ids=" ".join,
)
def test_it_prints_one_json_document_and_nothing_else(run: Run, arguments: list[str]) -> None:
    ran = run(*arguments, "--json")
    assert (ran.code, ran.error) == (DONE, "")
    assert ran.json is not None


@pytest.mark.parametrize(
    "arguments",
    [
        ["list"],
        ["queues"],
        ["tick", "due"],
        ["ledger"],
        ["stats"],
        ["purge"],
        ["autotune"],
        ["metrics"],
        ["submit", "sample.echo"],
        ["retry", uuid4()],
    ],
    ids=lambda arguments: arguments[0],
)
def test_tables_that_are_missing_are_told_in_a_line(run: Run, arguments: list[object]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE jobs_job RENAME TO gone")
    ran = run(*arguments)
    assert (ran.code, ran.out) == (FAILED, "")
    assert "jobs_job" in ran.error
    assert "manage.py migrate" in ran.error
    assert "\n" not in ran.error.strip()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["show", "nonsense"], "not_found"),
        (["list", "--schedule", "nonsense"], "not_found"),
        (["pause", "nonsense"], "not_found"),
        (["submit", "nonsense"], "usage"),
        (["list", "--limit", "0"], "usage"),
    ],
    ids=lambda each: each if isinstance(each, str) else " ".join(each),
)
def test_with_json_an_error_is_an_object_on_standard_error(
    run: Run, arguments: list[str], code: str
) -> None:
    ran = run(*arguments, "--json")
    assert (ran.code, ran.out) == (ExitCode[code.upper()], "")
    assert json.loads(ran.error) == {"error": run(*arguments).error, "code": code}
