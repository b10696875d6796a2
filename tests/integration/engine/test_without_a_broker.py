"""The back ends for a user's own tests run jobs where there is neither a broker nor Redis."""

import json
import subprocess
import sys
from typing import Any

import pytest

from jobs.public import get
from jobs.public import list as listed
from tests.stack import Stack

NOWHERE = "redis://127.0.0.1:1/0"


def submitted(stack: Stack, backend: str) -> dict[str, Any]:
    """Submit from a process of its own, and return what it told."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.integration.engine.without_a_broker"],
        env={
            **stack.env,
            "JOBSITE_BACKEND": backend,
            "BROKER_URL": NOWHERE,
            "REDIS_URL": NOWHERE,
            "LOG_LEVEL": "WARNING",
        },
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert ran.stderr == ""  # neither was asked for anything
    told: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return told


@pytest.mark.parametrize(
    ("backend", "expected"),
    [("immediate", {"at_once": "completed"}), ("memory", {"at_once": "queued", "runs": 2})],
)
@pytest.mark.django_db(transaction=True)
def test_jobs_run_and_lead_to_others(stack: Stack, backend: str, expected: dict[str, Any]) -> None:
    told = submitted(stack, backend)
    job = get(told.pop("job_id"))
    assert told == expected
    (child,) = listed(parent_id=job.pk)
    assert (job.state, job.result) == ("completed", str(child.pk))
    assert (child.state, child.result) == ("completed", "child")
