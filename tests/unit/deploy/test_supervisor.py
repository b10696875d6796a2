"""Supervisor's programs: each comes back, stops in order, and runs a command of the site."""

import re
import shlex
from configparser import ConfigParser
from functools import cache

import pytest

from tests.unit.deploy.site import DEPLOY, PROGRAMS, STOP_SECONDS, assert_known_command, known


@cache
def supervisor() -> ConfigParser:
    # As Supervisor itself reads: no interpolation by the parser, a comment after a space and ;.
    parser = ConfigParser(interpolation=None, inline_comment_prefixes=(" ;", "\t;"), strict=True)
    parser.read(DEPLOY / "supervisor" / "jobsite.conf")
    return parser


def program(name: str) -> dict[str, str]:
    return dict(supervisor()[f"program:{name}"])


def test_supervisor_groups_every_program() -> None:
    assert set(supervisor().sections()) == {f"program:{each}" for each in PROGRAMS} | {
        "group:jobsite"
    }
    assert set(supervisor()["group:jobsite"]["programs"].split(",")) == PROGRAMS


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_a_program_comes_back_and_stops_in_order(name: str) -> None:
    told = program(name)
    assert told["autostart"] == told["autorestart"] == "true"
    assert told["stopsignal"] == "TERM"
    # To the parent alone; at the end of its time, to all of them.
    assert (told["stopasgroup"], told["killasgroup"]) == ("false", "true")
    assert told["user"] == "jobsite"
    assert_known_command(shlex.split(told["command"]))
    named = re.findall(r"([A-Z_]+)=\"", told["environment"])
    assert {"JOBSITE_ENV", "JOBSITE_VAR"} <= set(named)
    assert all(known(each) for each in named)


def test_supervisor_runs_four_workers_and_one_beat() -> None:
    assert program("worker")["numprocs"] == "4"
    assert program("beat")["numprocs"] == "1"
    for key in ("process_name", "stdout_logfile"):
        assert "%(process_num)02d" in program("worker")[key]
    assert float(program("worker")["stopwaitsecs"]) >= STOP_SECONDS + 5


def test_each_worker_has_a_name_of_its_own() -> None:
    assert " -n worker%(process_num)02d@%%h" in program("worker")["command"]
