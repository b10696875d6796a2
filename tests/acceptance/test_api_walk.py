"""The walk in docs/api.md, as a newcomer takes it: every command, on a real site."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from jobs.services.api_keys import create_key
from jobsite.env import BASE_DIR
from jobsite.supervision.site import free_port
from tests.conftest import LiveProcess
from tests.stack import Process, Stack, eventually

PAGE = (BASE_DIR / "docs" / "api.md").read_text()
README = (BASE_DIR / "README.md").read_text()
pytestmark = [pytest.mark.once, pytest.mark.usefixtures("transactional_db", "worker")]


@pytest.fixture
def site(live_process: LiveProcess) -> str:
    """Where gunicorn answers."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "jobsite.wsgi", "--bind", f"127.0.0.1:{port}"]
    live_process([*command, "--workers", "1", "--threads", "8", "--no-control-socket"], name="web")

    def answers() -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/livez").is_success
        except httpx.TransportError:
            return False

    eventually(answers, 30, what="the web process to answer")
    return f"http://127.0.0.1:{port}"


def steps() -> list[tuple[str, str]]:
    """Return each command of the walk, and the answer that the page shows."""
    walk = PAGE[PAGE.index("## A walk") : PAGE.index("## From Python")]
    found: list[tuple[str, str]] = []
    for block in re.findall(r"```console\n(.*?)```", walk, re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], ""))
            else:
                found[-1] = (found[-1][0], line)
    return found


def shows(promised: Any, answered: Any) -> bool:
    """Return whether an answer holds what the page shows of it; `…` stands for anything."""
    if isinstance(promised, dict):
        return isinstance(answered, dict) and all(
            name in answered and shows(value, answered[name]) for name, value in promised.items()
        )
    if isinstance(promised, list):
        return len(promised) == len(answered) and all(map(shows, promised, answered))
    return promised in ("…", answered)


@pytest.mark.skipif(
    not shutil.which("curl") and "CI" not in os.environ, reason="there is no curl here"
)
def test_every_command_answers_as_the_page_says(site: str, stack: Stack, worker: Process) -> None:
    taken = steps()
    assert len(taken) >= 10
    marks = [f"{command}; echo '<<<>>>'" for command, _ in taken]
    run = subprocess.run(
        ["bash", "-c", "\n".join(["set -e", *marks])],
        env={
            **os.environ, **stack.env, "SITE": site,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        },
        cwd=BASE_DIR, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    answers = run.stdout.split("<<<>>>\n")
    for (command, promised), answered in zip(taken, answers, strict=False):
        if promised:
            assert shows(json.loads(promised), json.loads(answered)), (command, answered)


def test_the_client_does_what_the_readme_says(
    site: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = re.findall(r"```py\n(.*?)```", README, re.DOTALL)
    key = create_key("the readme", role="operator", actor="test").secret
    for told, real in {
        "https://jobs.example.org": site,
        "jsk_…": key,
        "shop.invoice": "sample.echo",
        '"order"': '"value"',
    }.items():
        assert told in code
        code = code.replace(told, real)
    exec(compile(code, "README.md", "exec"), {})  # noqa: S102
    assert capsys.readouterr().out == "7\n"


def test_the_client_does_what_the_page_says(site: str, capsys: pytest.CaptureFixture[str]) -> None:
    begin = PAGE.index("## From Python")
    (code,) = re.findall(
        r"```python\n(.*?)```", PAGE[begin : PAGE.index("## Operations")], re.DOTALL
    )
    key = create_key("the walk", role="operator", actor="test").secret
    exec(compile(code, "docs/api.md", "exec"), {"site": site, "key": key})  # noqa: S102
    assert capsys.readouterr().out.count("completed") == 2
