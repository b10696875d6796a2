"""Submitting many jobs by one request."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jobs.models import AuditEntry, Job
from jobs.public import get
from tests.integration.api.conftest import Caller


def echo(value: object = None, **options: object) -> dict[str, object]:
    return {"type": "sample.echo", "params": {"value": value}, **options}


def test_ids_come_in_the_order_of_the_jobs(operator: Caller) -> None:
    told = operator.post("/api/jobs/bulk", {"jobs": [echo(n) for n in range(20)]}, 202)
    assert [get(each).params["value"] for each in told["jobIds"]] == list(range(20))
    assert (told["message"], told["errors"], told["duplicates"]) == ("accepted", [], [])
    entry = AuditEntry.objects.get(action="job.submit")
    assert (entry.details["count"], entry.details["first"]) == (20, told["jobIds"][0])


def test_a_thousand_jobs_are_five_statements(operator: Caller) -> None:
    operator.get("/api/jobs/types", 200)  # the key's last use is written once a minute
    with CaptureQueriesContext(connection) as captured:
        operator.post("/api/jobs/bulk", {"jobs": [echo(n) for n in range(1000)]}, 202)
    told = [each["sql"] for each in captured if "SAVEPOINT" not in each["sql"]]
    assert len(told) <= 5, told
    assert Job.objects.count() == 1000


def test_wrong_ones_are_named_by_their_places_and_the_others_accepted(operator: Caller) -> None:
    wanted = [
        echo(1),
        {"type": "sample.ecko"},
        echo(2, priority="hi"),
        echo(3, prams={}),
        "nothing",
        {"type": "notifications.send", "params": {"channel": "email"}},
        echo(4, idempotency_key="k"),
        echo(4, idempotency_key="k"),
        echo(5, idempotency_key="k"),
        echo("x" * 300_000),
    ]
    told = operator.post("/api/jobs/bulk", {"jobs": wanted}, 202)
    assert told["message"] == "3 of 10 accepted"
    refused = {each["index"]: each["code"] for each in told["errors"]}
    assert refused == {
        1: "unknown_job_type", 2: "invalid_request", 3: "invalid_request", 4: "invalid_request",
        5: "invalid_parameters", 8: "duplicate_job", 9: "parameters_too_large",
    }  # fmt: skip
    assert [place for place, each in enumerate(told["jobIds"]) if each] == [0, 6, 7]
    assert (told["jobIds"][6], told["duplicates"]) == (told["jobIds"][7], [7])
    wrong = {each["index"]: each["errors"] for each in told["errors"]}
    assert "params.to" in {each["path"] for each in wrong[5]}
    assert Job.objects.count() == 2


def test_if_none_can_be_accepted_the_answer_is_an_error(operator: Caller) -> None:
    told = operator.post("/api/jobs/bulk", {"jobs": [{"type": "no.such"}, {"type": 7}]}, 400)
    assert told["code"] == "unknown_job_type"
    assert [each["path"] for each in told["errors"]] == ["jobs.0", "jobs.1.type"]
    assert not AuditEntry.objects.filter(action="job.submit").exists()


@pytest.mark.parametrize("body", [{}, {"jobs": []}, {"jobs": 7}, {"jobs": {}}, []])
def test_nothing_is_no_submission(operator: Caller, body: object) -> None:
    assert operator.post("/api/jobs/bulk", body, 400)["code"] == "invalid_request"
