"""What is sent to the API and is no job."""

import json

import pytest

from jobs.models import Job
from tests.integration.api.conftest import Caller


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("", 400, "invalid_request"),
        ("{", 400, "invalid_json"),
        ("[]", 400, "invalid_request"),
        ("null", 400, "invalid_request"),
        ('{"type": "sample.echo", "params": {"value": NaN}}', 400, "invalid_json"),
        (r'{"type": "sample.echo", "params": {"value": "\ud800"}}', 400, "invalid_json"),
        (r'{"type": "sample.echo", "params": {"value": "\u0000"}}', 422, "unstorable"),
        (r'{"type": "sample.echo", "params": {"\u0000": 1}}', 422, "unstorable"),
        ('{"type": "sample.echo", "params": {"value": ' + "[" * 40 + "]" * 40 + "}}", 422,
         "unstorable"),
        ('{"type": "sample.echo", "params": {"value": ' + "[" * 9000 + "]" * 9000 + "}}", 400,
         "invalid_json"),
        ('{"type": "sample.echo", "params": {"value": [' + "1," * 10_000 + "1]}}", 422,
         "unstorable"),
        (b'{"type": "\xff"}', 400, "invalid_json"),
        ('{"type": 7}', 400, "invalid_request"),
        ('{"type": "sample.echo", "prams": {}}', 400, "invalid_request"),
        ('{"type": "sample.echo", "run_at": 1e10}', 400, "invalid_request"),
        ('{"type": "sample.echo", "run_at": "2026-01-01T00:00:00"}', 400, "invalid_request"),
        ('{"type": "sample.echo", "delay_seconds": 1e300}', 400, "invalid_request"),
        ('{"type": "sample.echo", "delay_seconds": 1, "run_at": "2026-01-01T00:00:00Z"}', 400,
         "invalid_option"),
        ('{"type": "sample.echo", "backoff": {"base_seconds": 9, "cap_seconds": 1}}', 400,
         "invalid_option"),
        ('{"type": "sample.echo", "queue": "nowhere"}', 400, "invalid_option"),
        ('{"type": "sample.echo", "max_attempts": true}', 400, "invalid_request"),
    ],
)  # fmt: skip
def test_is_refused_by_name(operator: Caller, body: str | bytes, status: int, code: str) -> None:
    told = operator.post("/api/jobs", body, status)
    assert told["code"] == code, told
    assert told["detail"]
    assert not Job.objects.exists()


def test_a_body_of_ten_megabytes_is_refused(operator: Caller) -> None:
    body = json.dumps({"type": "sample.echo", "params": {"value": "x" * 10_000_000}})
    assert operator.post("/api/jobs", body, 413)["code"] == "body_too_large"


def test_parameters_beyond_their_size_are_refused(operator: Caller) -> None:
    body = {"type": "sample.echo", "params": {"value": "x" * 300_000}}
    told = operator.post("/api/jobs", body, 422)
    assert (told["code"], told["errors"][0]["path"]) == ("parameters_too_large", "params")
