"""The database is optimised as far as it can be right now, and what was done is told."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from django.db import connection, transaction

from maintenance.optimisation import optimise_database
from tests.stack import eventually

pytestmark = pytest.mark.django_db(transaction=True)
sqlite = pytest.mark.skipif("connection.vendor != 'sqlite'", reason="SQLite's own")
postgresql = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="PostgreSQL's own")
CHECKPOINT = "PRAGMA wal_checkpoint(TRUNCATE)"


def execute(statement: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def by_operation(result: dict[str, Any]) -> dict[str, Any]:
    return {each["operation"]: each for each in result["operations"]}


@pytest.fixture
def free_pages() -> Iterator[None]:
    """Much of the database's file is free."""
    execute("CREATE TABLE ballast AS SELECT zeroblob(4000000) AS weight")
    execute("DROP TABLE ballast")
    yield
    execute("VACUUM")


@sqlite
def test_few_free_pages_are_left_alone() -> None:
    execute("VACUUM")
    result = optimise_database()
    done = by_operation(result)
    assert list(done) == ["PRAGMA optimize", "VACUUM", CHECKPOINT]
    assert done["PRAGMA optimize"]["seconds"] >= 0
    assert done["VACUUM"]["skipped"].endswith("of the pages are free; it is done above 25%")
    assert "skipped" not in done[CHECKPOINT]
    assert result["engine"] == "sqlite"


@sqlite
def test_many_free_pages_are_given_back(free_pages: None) -> None:
    result = optimise_database()
    assert by_operation(result)["VACUUM"]["seconds"] > 0
    assert result["size_before_bytes"] - result["size_after_bytes"] >= 4_000_000
    assert execute("PRAGMA freelist_count") == [(0,)]
    assert execute("PRAGMA busy_timeout") == [(30_000,)]


@sqlite
def test_inside_a_transaction_only_what_can_be_done(free_pages: None) -> None:
    with transaction.atomic():
        result = optimise_database()
    done = by_operation(result)
    assert done["VACUUM"]["skipped"] == done[CHECKPOINT]["skipped"] == "inside a transaction"
    assert "skipped" not in done["PRAGMA optimize"]
    assert result["size_after_bytes"] == result["size_before_bytes"]


@sqlite
def test_a_writer_is_not_waited_for_long(free_pages: None) -> None:
    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        done = by_operation(optimise_database())
        other.execute("ROLLBACK")
    assert done["VACUUM"]["skipped"].startswith("the database refused: database is locked")
    assert done[CHECKPOINT]["skipped"]
    assert execute("PRAGMA busy_timeout") == [(30_000,)]


@postgresql
def test_the_tables_are_vacuumed() -> None:
    execute("SELECT pg_stat_reset_single_table_counters('jobs_job'::regclass)")
    result = optimise_database()
    (done,) = result["operations"]
    assert done["operation"].startswith("VACUUM (ANALYZE, SKIP_LOCKED) ")
    assert '"jobs_job"' in done["operation"]
    assert done["seconds"] > 0
    assert result["engine"] == "postgresql"
    assert result["size_before_bytes"] > 0
    counted = "SELECT vacuum_count, analyze_count FROM pg_stat_user_tables WHERE relname='jobs_job'"
    eventually(lambda: all(count >= 1 for count in execute(counted)[0]))


@postgresql
def test_inside_a_transaction_nothing_is_vacuumed() -> None:
    with transaction.atomic():
        (done,) = optimise_database()["operations"]
    assert done["skipped"] == "inside a transaction"


def test_a_look_changes_nothing() -> None:
    result = optimise_database(perform=False)
    assert result["operations"] == []
    assert result["size_before_bytes"] == result["size_after_bytes"] > 0
