"""Where the benchmark runs: a database of its own on the site's server, a Redis of its own.

Nothing of the site is read or written.
"""

import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from jobs.domain.errors import ConfigurationError
from jobsite.env import BASE_DIR

# The server too: row J has surroundings of its own inside those of the others.
_LEFT_OUT = (
    "BROKER_URL", "REDIS_URL", "PROMETHEUS_MULTIPROC_DIR", "DJANGO_SETTINGS_MODULE", "BENCH_SERVER",
)  # fmt: skip


def is_set() -> bool:
    """Whether this process runs in the benchmark's surroundings."""
    return os.environ.get("JOBSITE_BENCH") == "1"


def folder() -> Path:
    """Return the folder of this run's files."""
    return Path(os.environ["JOBSITE_VAR"])


def environment(database_url: str, broker_url: str) -> dict[str, str]:
    """Make a scratch folder and a scratch database, and return the environment that names them.

    Args:
        database_url: of a database on the server to measure; empty for SQLite.
        broker_url: of a Redis or RabbitMQ to measure, whose messages nobody needs; empty for an
            embedded one.

    Raises:
        ConfigurationError: the server does not answer, or lets nobody make a database.
    """
    on_postgresql = database_url.startswith(("postgres://", "postgresql://"))
    scratch_url = make_database(database_url) if on_postgresql else ""
    env = site(Path(tempfile.mkdtemp(prefix="jobsite-bench-")), scratch_url, broker_url)
    return env | ({"BENCH_SERVER": database_url} if on_postgresql else {})


def site(folder: Path, database_url: str, broker_url: str) -> dict[str, str]:
    """Return the environment of a site that has these, and the benchmark's job types."""
    env = {name: value for name, value in os.environ.items() if name not in _LEFT_OUT}
    return env | {
        "JOBSITE_BENCH": "1",
        "JOBSITE_ENV": "development",
        "JOBSITE_VAR": str(folder),
        "DJANGO_SETTINGS_MODULE": "jobsite.settings",
        "DATABASE_URL": database_url,
        "BROKER_URL": broker_url,
        "REDIS_URL": "",
        "LOG_LEVEL": os.environ.get("BENCH_LOG_LEVEL", "WARNING"),
        "LOG_FORMAT": "json",
    }


def enter(env: Mapping[str, str]) -> None:
    """Start this very command again in these surroundings; does not return."""
    os.execve(sys.executable, [sys.executable, str(BASE_DIR / "manage.py"), *sys.argv[1:]], env)  # noqa: S606 - ourselves


def leave() -> None:
    """Remove the scratch database and folder."""
    if server := os.environ.get("BENCH_SERVER"):
        drop_database(server, os.environ["DATABASE_URL"])
    shutil.rmtree(folder(), ignore_errors=True)


def make_database(server: str) -> str:
    """Make a scratch database on the server and return its URL.

    Raises:
        ConfigurationError: the server does not answer, or lets nobody make a database.
    """
    name = f"jobsite_bench_{secrets.token_hex(4)}"
    try:
        with psycopg.connect(server, autocommit=True, connect_timeout=5) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
    except psycopg.Error as error:
        why = str(error).partition("\n")[0]
        raise ConfigurationError(
            f"no database for the benchmark can be made on the server of DATABASE_URL: {why}; "
            "name one whose user may, with --database-url, or '' to do without"
        ) from None
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


def drop_database(server: str, url: str) -> None:
    """Remove a scratch database, whoever is still connected to it."""
    name = urlsplit(url).path.removeprefix("/")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
