"""Opening a git repository that may belong to anyone."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pygit2
from pygit2.enums import RepositoryOpenFlag

from jobs import PermanentError

#: The check of the owner is a switch of the whole process.
_owner_validation = threading.Lock()


@contextmanager
def open_repository(path: Path) -> Iterator[pygit2.Repository]:
    """Open the repository at this very path, work tree or bare; parent folders are not searched.

    It may belong to another user: git's "dubious ownership" guards against the programs that a
    repository's hooks and configuration can name, and libgit2 runs none of them.

    Raises:
        PermanentError: there is no repository that can be read.
    """
    try:
        repository = _open(path)
    except (pygit2.GitError, OSError, ValueError) as error:
        raise PermanentError(
            f"{path} is not a git repository that can be read ({error}); name the folder that "
            "holds .git, or a bare repository"
        ) from None
    try:
        _refuse_missing_head(repository, path)
        yield repository
    finally:
        repository.free()


def _open(path: Path) -> pygit2.Repository:
    with _owner_validation:
        asked = pygit2.settings.owner_validation
        pygit2.settings.owner_validation = False
        try:
            return pygit2.Repository(str(path), RepositoryOpenFlag.NO_SEARCH)
        finally:
            pygit2.settings.owner_validation = asked


def _refuse_missing_head(repository: pygit2.Repository, path: Path) -> None:
    """A repository without commits is empty; one whose HEAD names no branch only looks so."""
    branches = list(repository.branches.local)
    if repository.head_is_unborn and branches:
        raise PermanentError(
            f"HEAD of {path} names a branch that does not exist; point it to one that does: "
            f"git symbolic-ref HEAD refs/heads/{branches[0]}"
        )
