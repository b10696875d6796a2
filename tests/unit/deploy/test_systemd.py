"""The units: each process comes back, stops in order and is confined."""

import re
import shlex
import shutil
import subprocess
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from tests.unit.deploy.site import DEPLOY, STOP_SECONDS, assert_known_command, known

UNITS = {"jobsite-web", "jobsite-worker@", "jobsite-beat", "jobsite-flower"}


def directives(path: Path) -> dict[str, dict[str, list[str]]]:
    """Return what a unit says, by section and key; fail at a line that is none of a unit's."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    section = ""
    for line in path.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        if match := re.fullmatch(r"\[(Unit|Service|Install)\]", line):
            section = match[1]
            continue
        key, sign, value = line.partition("=")
        assert section, line
        assert sign, line
        assert re.fullmatch(r"[A-Z][A-Za-z]+", key), line
        found[section][key].append(value)
    return found


@cache
def unit(name: str) -> dict[str, dict[str, list[str]]]:
    return directives(DEPLOY / "systemd" / f"{name}.service")


def span(name: str) -> float:
    return float(unit(name)["Service"]["TimeoutStopSec"][0])


def test_the_target_wants_every_unit_and_four_workers() -> None:
    wanted = " ".join(directives(DEPLOY / "systemd" / "jobsite.target")["Unit"]["Wants"]).split()
    workers = [f"jobsite-worker@{number}.service" for number in (1, 2, 3, 4)]
    others = [f"{name}.service" for name in UNITS - {"jobsite-worker@"}]
    assert sorted(wanted) == sorted(workers + others)
    assert {path.name for path in (DEPLOY / "systemd").glob("*.service")} == {
        f"{name}.service" for name in UNITS
    }


@pytest.mark.parametrize("name", sorted(UNITS))
def test_a_unit_comes_back_and_stops_in_order(name: str) -> None:
    service = unit(name)["Service"]
    assert service["Restart"] == ["always"]
    assert unit(name)["Unit"]["StartLimitIntervalSec"] == ["0"]
    assert unit(name)["Unit"]["PartOf"] == ["jobsite.target"]
    assert unit(name)["Install"]["WantedBy"] == ["jobsite.target"]
    assert service["KillSignal"] == ["SIGTERM"]
    assert service["KillMode"] == ["mixed"]  # SIGTERM to the children would break their jobs off
    assert service["User"] == ["jobsite"]
    (file,) = service["EnvironmentFile"]
    assert not file.startswith("-")  # without its secrets the site shall not start


def test_systemd_gives_a_worker_the_time_that_it_takes() -> None:
    assert span("jobsite-worker@") >= STOP_SECONDS + 5


@pytest.mark.parametrize("name", sorted(UNITS))
def test_a_unit_runs_a_command_of_the_site(name: str) -> None:
    service = unit(name)["Service"]
    (command,) = service["ExecStart"]
    folder = service["WorkingDirectory"][0]
    words = shlex.split(command)
    assert words[0].startswith(f"{folder}/.venv/bin/")
    assert_known_command(words)
    named = [each.partition("=")[0] for line in service["Environment"] for each in line.split()]
    assert {"JOBSITE_ENV", "JOBSITE_VAR"} <= set(named)
    assert all(known(each) for each in named)


def test_workers_on_one_host_have_names_of_their_own() -> None:
    assert " -n worker%i@%%h" in unit("jobsite-worker@")["Service"]["ExecStart"][0]


def test_the_units_are_confined_and_can_write_where_they_must() -> None:
    (drop_in,) = (DEPLOY / "systemd" / "jobsite-.service.d").iterdir()
    confined = {key: values[0] for key, values in directives(drop_in)["Service"].items()}
    assert confined["ProtectSystem"] == "strict"
    assert confined["NoNewPrivileges"] == confined["PrivateTmp"] == "true"
    variables = " ".join(unit("jobsite-worker@")["Service"]["Environment"]).split()
    assert f"JOBSITE_VAR=/var/lib/{confined['StateDirectory']}" in variables
    assert "AF_UNIX" in confined["RestrictAddressFamilies"]


def test_systemd_itself_accepts_the_units(tmp_path: Path) -> None:
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("systemd-analyze is not here: the units were parsed, not verified")
    shutil.copytree(DEPLOY / "systemd", tmp_path, dirs_exist_ok=True)
    for path in tmp_path.glob("*.service"):
        text = re.sub(r"/srv/jobsite/\.venv/bin/\w+", sys.executable, path.read_text())
        path.write_text(text)
    units = [path.name.replace("@", "@1") for path in tmp_path.glob("*.*") if path.is_file()]
    told = subprocess.run(
        [verify, "verify", "--man=no", *sorted(units)],
        cwd=tmp_path,
        env={"SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        capture_output=True,
        text=True,
        check=False,
    )
    # It only warns of a key that it does not know.
    complaints = [line for line in told.stderr.splitlines() if str(tmp_path) in line]
    assert (told.returncode, complaints) == (0, [])
