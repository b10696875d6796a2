"""Real repositories made with git itself, with every date fixed."""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class GitRepository:
    path: Path
    #: Commits follow each other only in this order: no clock is read.
    env: dict[str, str] = field(default_factory=dict)

    @classmethod
    def create(cls, path: Path, *options: str) -> "GitRepository":
        path.mkdir(parents=True, exist_ok=True)
        repository = cls(path)
        repository.git("init", "--quiet", "--initial-branch=main", *options)
        return repository

    def git(self, *arguments: str, input_: bytes | None = None, **env: str) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            env=self._environment(env),
            input=input_,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return done.stdout.decode(errors="replace").strip()

    def bash(self, command: str) -> str:
        """Run a command line as the digest tells it to its reader."""
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            cwd=self.path,
            env=self._environment({}),
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return done.stdout.decode().strip()

    def write(self, name: str, lines: int | bytes) -> None:
        content = lines
        if isinstance(content, int):
            content = b"".join(b"line %d of %s\n" % (n, name.encode()) for n in range(content))
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)

    def commit(
        self,
        message: str,
        when: str,
        *,
        author: str = "Ada <ada@example.com>",
        authored: str = "",
        options: tuple[str, ...] = (),
    ) -> None:
        """Commit everything; `when` is the committer's date, `authored` the author's."""
        self.git("add", "--all")
        name, _, email = author.rpartition(" <")
        self.git(
            "commit", "--quiet", "--allow-empty", "--no-verify", "-m", message, *options,
            GIT_AUTHOR_NAME=name, GIT_AUTHOR_EMAIL=email.rstrip(">"),
            GIT_AUTHOR_DATE=authored or when, GIT_COMMITTER_DATE=when,
        )  # fmt: skip

    def merge(self, branch: str, when: str, message: str = "Merge") -> None:
        self.git(
            "merge", "--quiet", "--no-ff", "-m", message, branch,
            GIT_AUTHOR_DATE=when, GIT_COMMITTER_DATE=when,
        )  # fmt: skip

    def _environment(self, env: dict[str, str]) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.path),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Ada",
            "GIT_AUTHOR_EMAIL": "ada@example.com",
            "GIT_COMMITTER_NAME": "Grace",
            "GIT_COMMITTER_EMAIL": "grace@example.com",
            "TZ": "UTC",
            **env,
        }
