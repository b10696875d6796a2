"""The peers: what each needs, which commands are its workers, and what it keeps of a job."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Command = tuple[str, ...]
_LIBRARIES = "benchmarks.peers.libraries"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One library, to which a module of `libraries` of the same name belongs.

    Attributes:
        name: of the module, and of the file in `requirements` with `-` for `_`.
        needs: beside Python and Redis, which all are given.
        kept: what there is to see of a job that has completed, by default.
        workers: by variant, the commands of its workers: two processes that run jobs. As in a
            shell, a command may begin with a variable of its environment.
        env: what they find in their environment, and the submitter too.
        ours: whether it runs in this project's own environment.
    """

    name: str
    title: str
    kept: str
    workers: Mapping[str, Sequence[Command]]
    needs: frozenset[Literal["postgresql", "node"]] = frozenset()
    env: Mapping[str, str] = field(default_factory=dict)
    ours: bool = False


def _module(name: str) -> str:
    return f"{_LIBRARIES}.{name}"


def _two(*command: str) -> tuple[Command, Command]:
    return (command, command)


def _celery(app: str) -> tuple[Command]:
    options = ("--quiet", "worker", "--loglevel", "WARNING", "--concurrency", "2")
    return (("celery", "-A", app, *options),)


def _arq(settings: str) -> tuple[Command, Command]:
    return _two("arq", f"{_module('arq')}.{settings}")


def _rq(*options: str) -> tuple[Command, Command]:
    return _two("rq", "worker", "--quiet", "--url", "{redis}", *options)


def _django(app: str) -> dict[str, str]:
    return {"DJANGO_SETTINGS_MODULE": _module("django_settings"), "PEERS_APP": app}


_TASKIQ = ("taskiq", "worker", f"{_module('taskiq')}:broker", "--log-level", "WARNING")
_PROCRASTINATE = ("procrastinate", f"--app={_module('procrastinate')}.app", "worker")
_DRAMATIQ = ("dramatiq", _module("dramatiq"), "--processes", "2")
_HUEY = ("huey_consumer", f"{_module('huey')}.huey", "-q", "-k", "process", "-w", "2")

PEERS = (
    Peer(
        name="jobsite",
        title="Jobsite",
        kept="rows: the job, its attempts, its result, its timeline",
        workers={"default": _celery("jobsite")},
        needs=frozenset({"postgresql"}),
        ours=True,
    ),
    Peer(
        name="celery",
        title="Celery",
        kept="nothing",
        workers={"default": _celery(_module("celery"))},
        ours=True,
    ),
    Peer(
        name="rq",
        title="RQ",
        kept="the job and its result, for 500 s",
        # Its default forks for each job.
        workers={"default": _rq(), "tuned": _rq("--worker-class", "rq.SimpleWorker")},
    ),
    Peer(
        name="dramatiq",
        title="dramatiq",
        kept="nothing",
        workers={
            "default": (_DRAMATIQ,),
            "tuned": (("dramatiq_queue_prefetch=1000", *_DRAMATIQ),),
        },
    ),
    Peer(
        name="huey",
        title="huey",
        kept="results that are not None",
        workers={"default": (_HUEY,)},
    ),
    Peer(
        name="taskiq",
        title="taskiq",
        kept="nothing; a result back end keeps results",
        workers={
            "default": (_TASKIQ,),
            "tuned": ((*_TASKIQ, "--max-prefetch", "100", "--no-parse"),),
        },
    ),
    Peer(
        name="procrastinate",
        title="procrastinate",
        kept="rows: the job and its events",
        workers={
            "default": _two(*_PROCRASTINATE),
            "tuned": _two(*_PROCRASTINATE, "--concurrency", "20"),
        },
        needs=frozenset({"postgresql"}),
    ),
    Peer(
        name="django_q2",
        title="django-q2",
        kept="rows: the last 250 results",
        workers=dict.fromkeys(("default", "tuned"), (("python", "-m", "django", "qcluster"),)),
        needs=frozenset({"postgresql"}),
        env=_django("django_q"),
    ),
    Peer(
        name="django_tasks_db",
        title="django-tasks-db",
        kept="rows: the task and its result",
        workers={
            "default": _two("python", "-m", "django", "db_worker"),
            "tuned": _two("python", "-m", "django", "db_worker", "--interval", "0.05"),
        },
        needs=frozenset({"postgresql"}),
        env=_django("django_tasks_db"),
    ),
    Peer(
        name="arq",
        title="arq",
        kept="the result, for an hour",
        workers={"default": _arq("WorkerSettings"), "tuned": _arq("Tuned")},
    ),
    Peer(
        name="bullmq",
        title="BullMQ",
        kept="the job and its result in Redis, until removed",
        workers={
            "default": _two("node", "worker.js", "1"),
            "tuned": _two("node", "worker.js", "50"),
        },
        needs=frozenset({"node"}),
    ),
)
