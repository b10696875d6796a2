from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from jobs.contrib.digests.params import DigestParams
from jobs.contrib.digests.repositories import (
    GitHubRepository,
    LocalRepository,
    parse_repository,
)


def wrong_field(**values: Any) -> tuple[str, str]:
    with pytest.raises(ValidationError) as caught:
        DigestParams.model_validate({"repository": "o/r", **values})
    [error] = caught.value.errors()
    return ".".join(map(str, error["loc"])), error["msg"]


def test_a_repository_is_enough() -> None:
    params = DigestParams(repository="o/r")
    assert (params.period, params.notify, params.timezone) == ("week", True, "UTC")


@pytest.mark.parametrize("end", ["2026-03-01T00:00:00Z", "2026-02-01T00:00:00Z"])
def test_a_period_that_does_not_end_after_it_starts_names_the_field(end: str) -> None:
    path, message = wrong_field(start="2026-03-01T00:00:00Z", end=end)
    assert path == "end"
    assert "2026-03-01T00:00:00+00:00" in message


@pytest.mark.parametrize("field", ["start", "end"])
def test_a_naive_moment_is_refused(field: str) -> None:
    path, message = wrong_field(**{field: "2026-03-01T00:00:00"})
    assert path == field
    assert "timezone" in message


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "/etc/passwd", "a\0b"])
def test_an_unknown_time_zone_is_refused(zone: str) -> None:
    assert wrong_field(timezone=zone)[0] == "timezone"


@pytest.mark.parametrize(
    ("field", "value"),
    [("period", "year"), ("repository", ""), ("repository", "x" * 501), ("title", "x" * 201),
     ("surprise", 1), ("notify", "perhaps")],
)  # fmt: skip
def test_other_wrong_values_name_their_field(field: str, value: object) -> None:
    assert wrong_field(**{field: value})[0] == field


def test_moments_are_whole_seconds_and_survive_the_way_through_json() -> None:
    params = DigestParams(repository="o/r", end=datetime(2026, 3, 1, 1, 2, 3, 999, tzinfo=UTC))
    assert params.end == datetime(2026, 3, 1, 1, 2, 3, tzinfo=UTC)
    assert DigestParams.model_validate(params.model_dump(mode="json")) == params


@pytest.mark.parametrize(
    "text",
    ["owner/name", "github:owner/name", "https://github.com/owner/name",
     "https://github.com/owner/name.git", "https://github.com/owner/name/"],
)  # fmt: skip
def test_a_repository_on_github_can_be_named_in_several_ways(text: str) -> None:
    assert parse_repository(text) == GitHubRepository("owner", "name")


def test_a_local_repository_is_a_folder_or_a_file_url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    expected = LocalRepository(tmp_path / "a b")
    assert parse_repository(str(tmp_path / "a b")) == expected
    assert parse_repository("./a b") == expected
    assert parse_repository(f"file://{tmp_path}/a%20b") == expected
    assert parse_repository(f"file://localhost{tmp_path}/a%20b") == expected


@pytest.mark.parametrize(
    "text",
    ["owner", "a/b/c", "owner/..", "-o/r", "git@github.com:o/r.git", "https://evil.example/o/r",
     "ssh://h/x", "file://other-host/srv/git", "file:relative", "o/r\n", "o/r?x=1", "/srv/\0x",
     "https://github.com@evil.example/o/r"],
)  # fmt: skip
def test_what_names_no_repository_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="repository"):
        parse_repository(text)
    assert wrong_field(repository=text)[0] == "repository"
