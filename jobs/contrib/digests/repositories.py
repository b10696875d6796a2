"""Which repository a name means, and the source that reads it."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from jobs.contrib.digests.sources.base import Source

_GITHUB = re.compile(
    r"(?:github:|https://github\.com/)?"
    r"(?P<owner>[A-Za-z0-9](?:[A-Za-z0-9-]{0,38}))/(?P<name>[A-Za-z0-9._-]{1,100}?)(?:\.git)?/?"
)
_WHAT_IS_MEANT = "name a folder (/srv/git/project), a file:// URL, or owner/name on GitHub"


@dataclass(frozen=True, slots=True)
class GitHubRepository:
    """A repository on GitHub."""

    owner: str
    name: str

    def __str__(self) -> str:
        return f"{self.owner}/{self.name}"


@dataclass(frozen=True, slots=True)
class LocalRepository:
    """A repository on the worker's machine; the path is absolute."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


Repository = GitHubRepository | LocalRepository


def parse_repository(text: str) -> Repository:
    """Return what the name means. A relative folder must begin with a dot: `a/b` is on GitHub.

    Raises:
        ValueError: it means no repository; the message says what would.
    """
    if not text or any(not each.isprintable() for each in text):
        raise ValueError(f"{text!r} is no repository; {_WHAT_IS_MEANT}")
    if text.startswith(("/", "~", ".")):
        return LocalRepository(Path(text).expanduser().resolve())
    if text.startswith("file:"):
        return LocalRepository(_path_of(text))
    match = _GITHUB.fullmatch(text)
    if match is None or match["name"] in {".", ".."}:
        raise ValueError(f"{text!r} is no repository that can be read here; {_WHAT_IS_MEANT}")
    return GitHubRepository(match["owner"], match["name"])


def service_of(name: str) -> str:
    """Return the outside service that reading the repository needs; empty for none."""
    return "" if isinstance(parse_repository(name), LocalRepository) else "github"


def source_of(repository: Repository) -> Source:
    """Return the source that reads the repository."""
    # Imported when needed: GitHub's client takes a second to import, and every process of the
    # site imports the job types.
    if isinstance(repository, LocalRepository):
        from jobs.contrib.digests.sources.git import GitSource

        return GitSource(repository.path)
    from jobs.contrib.digests.sources.github import GitHubSource

    return GitHubSource(repository.owner, repository.name)


def _path_of(url: str) -> Path:
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
        raise ValueError(f"{url!r} is on another machine; write file:///path/to/the/repository")
    return Path(unquote(parts.path)).resolve()
