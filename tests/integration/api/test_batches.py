"""Batches over HTTP."""

from typing import Any
from uuid import uuid4

from jobs.backends.memory import drain
from jobs.models import AuditEntry, Batch, Job
from tests.integration.api.conftest import Caller

ECHO = {"type": "sample.echo"}


def test_it_is_made_watched_and_led_on(operator: Caller) -> None:
    body = {
        "name": "orders",
        "jobs": [ECHO, {"type": "no.such"}, {**ECHO, "params": {"value": 2}}],
        "on_success": {"type": "sample.about_batch", "params": {"moment": "s"}, "priority": "high"},
    }
    told = operator.post("/api/batches", body, 202)
    assert (told["message"], told["errors"][0]["index"]) == ("2 of 3 accepted", 1)
    assert told["jobIds"][1] is None
    address = f"/api/batches/{told['batchId']}"
    seen = operator.get(address)
    assert (seen["state"], seen["total"], seen["percent"]) == ("running", 2, 0)
    assert seen["leads_to"] == {"on_success": "sample.about_batch"}
    job = operator.get(f"/api/jobs/{told['jobIds'][0]}")
    assert job["batch_id"] == told["batchId"]
    drain()
    seen = operator.get(address)
    assert (seen["state"], seen["counts"], seen["percent"]) == ("finished", {"completed": 2}, 100)
    led_to = Job.objects.get(job_type="sample.about_batch")
    assert (led_to.params["batch_id"], led_to.priority_label) == (told["batchId"], "high")
    assert [each["id"] for each in operator.get("/api/batches")["items"]] == [told["batchId"]]
    assert AuditEntry.objects.get(target_type="batch").action == "batch.create"


def test_it_takes_more_until_it_has_finished(operator: Caller) -> None:
    batch = operator.post("/api/batches", {"closed": False}, 202)["batchId"]
    address = f"/api/batches/{batch}"
    told = operator.post(f"{address}/jobs", {"jobs": [ECHO, ECHO]}, 202)
    assert (told["batchId"], len(told["jobIds"])) == (batch, 2)
    operator.post("/api/jobs", {**ECHO, "batch_id": batch}, 202)
    assert operator.get(address)["state"] == "open"
    assert operator.post(f"{address}/close")["state"] == "running"
    drain()
    assert operator.get(address)["state"] == "finished"
    refused = operator.post(f"{address}/jobs", {"jobs": [ECHO]}, 202)
    assert "takes no more jobs" in refused["errors"][0]["detail"]
    assert operator.post(f"{address}/cancel", status=409)["code"] == "batch_closed"


def test_many_are_listed_by_as_many_statements_as_one(
    operator: Caller, django_assert_num_queries: Any
) -> None:
    made = [operator.post("/api/batches", {"jobs": [ECHO] * n}, 202)["batchId"] for n in (1, 2, 3)]
    operator.get("/api/batches")
    with django_assert_num_queries(3):  # the key, the batches, their jobs
        listed = operator.get("/api/batches")["items"]
    assert [each["id"] for each in listed] == made[::-1]
    assert [each["counts"] for each in listed] == [{"queued": n} for n in (3, 2, 1)]


def test_all_of_it_is_cancelled(operator: Caller) -> None:
    body = {"jobs": [{**ECHO, "delay_seconds": 60}] * 3}
    batch = operator.post("/api/batches", body, 202)["batchId"]
    told = operator.post(f"/api/batches/{batch}/cancel")
    assert (told["state"], told["counts"]) == ("cancelled", {"cancelled": 3})


def test_what_is_wrong_is_named_and_nothing_made(operator: Caller) -> None:
    for wrong, code in (
        ({"on_success": {"type": "no.such"}}, "unknown_job_type"),
        ({"on_failure": {"type": "sample.echo", "params": {"no": 1}}}, "invalid_parameters"),
        ({"name": "x" * 101}, "invalid_request"),
        ({"jobs": "all"}, "invalid_request"),
        ({"jbos": []}, "invalid_request"),
    ):
        assert operator.post("/api/batches", wrong, 400)["code"] == code
    assert not Batch.objects.exists()
    assert operator.get(f"/api/batches/{uuid4()}", 404)["code"] == "batch_not_found"
