import pytest

from jobs.contrib.digests.bots import is_bot
from jobs.contrib.digests.conventional import is_breaking, type_of


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("feat: a", "feat"),
        ("Feat(api)!: a", "feat"),
        ("feature: a", "feat"),
        ("bugfix(x): a", "fix"),
        ("docs(readme): a", "docs"),
        ("perf: a", "perf"),
        ("refactor: a", "refactor"),
        ("tests: a", "test"),
        ("ci: a", "ci"),
        ("build: a", "chore"),
        ("style: a", "chore"),
        ("wip: a", "other"),
        ("feat:a", "other"),
        ("fixing the feat: a", "other"),
        ("Merge: two", "other"),
        ("", "other"),
    ],
)
def test_the_title_tells_the_type(title: str, expected: str) -> None:
    assert type_of(title) == expected


@pytest.mark.parametrize(
    ("title", "body", "expected"),
    [
        ("feat!: a", "", True),
        ("feat(api)!: a", "", True),
        ("feat: a", "text\n\nBREAKING CHANGE: b", True),
        ("feat: a", "BREAKING-CHANGE: b", True),
        ("feat: a", "fix!: squashed", True),
        ("feat: a!", "", False),
        ("wow! what", "", False),
        ("feat: a", "this is no BREAKING CHANGE: at all", False),
        ("feat: a", "breaking change: b", False),
    ],
)
def test_breaking_changes_are_recognised(title: str, body: str, *, expected: bool) -> None:
    assert is_breaking(title, body) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dependabot[bot]", True),
        ("some-app[bot]", True),
        ("Renovate Bot", True),
        ("renovate", True),
        ("github-actions", True),
        ("GitHub-Actions[bot]", True),
        ("dependabot-preview", True),
        ("Renovate Smith", False),
        ("Botticelli", False),
        ("Abbot", False),
        ("Ada", False),
    ],
)
def test_bots_are_told_from_people(name: str, *, expected: bool) -> None:
    assert is_bot(name, "x@example.com") is expected
