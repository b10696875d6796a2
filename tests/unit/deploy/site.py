"""What the files are held against: the site's variables, commands and times."""

from pathlib import Path

from jobs.backends import lease
from jobs.conf import PREFIX, JobsSettings
from jobsite.env import BASE_DIR, Environment

DEPLOY = BASE_DIR / "deploy"
PROGRAMS = {"web", "worker", "beat", "flower"}
#: What Flower reads.
OTHERS = {"FLOWER_BASIC_AUTH"}
#: How long a worker takes to end when it is stopped, at most.
STOP_SECONDS = Environment.model_fields["worker_shutdown_seconds"].default + lease._LAST_SECONDS


def known(variable: str) -> bool:
    """Return whether the site, the engine or a program beside them reads the variable."""
    return (
        variable.lower() in Environment.model_fields
        or variable.removeprefix(PREFIX).lower() in JobsSettings.model_fields
        or variable in OTHERS
    )


def assert_known_command(words: list[str]) -> None:
    """Assert that a command line is one of the site's own."""
    if words[:2] == ["/usr/bin/nice", "-n"]:
        words = words[3:]
    program, *rest = words
    if Path(program).name == "celery":
        assert rest[:2] == ["-A", "jobsite"]
        assert rest[2] in {"worker", "beat", "flower"}
    elif Path(program).name == "gunicorn":
        assert rest[0] == "jobsite.wsgi"
    else:
        assert (program, rest[:2]) == ("python", ["manage.py", "migrate"])
