"""Jobs over HTTP."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from jobs.backends.memory import drain
from jobs.domain.states import State
from jobs.models import AuditEntry, Job
from jobs.public import cancel, get, submit
from tests.integration.api.conftest import Caller


def test_a_submission_is_accepted_and_is_seen(operator: Caller) -> None:
    told = operator.post("/api/jobs", {"type": "sample.echo", "params": {"value": 7}}, 202)
    assert told == {
        "message": "accepted",
        "jobId": told["jobId"],
        "state": "queued",
        "duplicate": False,
    }
    job = get(told["jobId"])
    assert (job.job_type, job.params, job.trigger) == ("sample.echo", {"value": 7}, "code")
    seen = operator.get(f"/api/jobs/{job.pk}")
    assert (seen["type"], seen["state"], seen["params"]) == ("sample.echo", "queued", {"value": 7})
    assert [moment["to"] for moment in seen["timeline"]] == ["queued"]
    assert seen["timeline"][0]["actor"].startswith("key jsk_")


def test_a_submission_names_its_job_in_the_header(operator: Caller) -> None:
    response = operator.send("POST", "/api/jobs", {"type": "sample.echo"})
    assert response["Location"] == f"/api/jobs/{response.json()['jobId']}"
    assert len(response["X-Request-ID"]) == 32


def test_options_reach_the_job(operator: Caller) -> None:
    run_at = datetime.now(UTC) + timedelta(hours=2)
    told = operator.post(
        "/api/jobs",
        {
            "type": "sample.echo",
            "priority": "high",
            "run_at": run_at.isoformat(),
            "max_retries": 1,
            "timeout_seconds": 5,
            "backoff": {"kind": "fixed", "base_seconds": 3, "jitter": "none"},
            "expires_in_seconds": 60,
        },
        202,
    )
    job = get(told["jobId"])
    assert told["state"] == job.state == State.SCHEDULED
    assert (job.run_at, job.priority_label, job.max_attempts) == (run_at, "high", 2)
    assert job.timeout == timedelta(seconds=5)
    assert job.expires_at == run_at + timedelta(minutes=1)
    assert job.backoff is not None
    assert (job.backoff["kind"], job.backoff["base_seconds"]) == ("fixed", 3)


def test_a_job_waits_for_others_and_tells_of_them(operator: Caller) -> None:
    parent = submit("sample.echo", delay=timedelta(hours=1)).job_id
    other = submit("sample.echo", delay=timedelta(hours=1)).job_id
    after = [str(parent), {"job_id": str(other), "on_failure": "skip"}]
    told = operator.post("/api/jobs", {"type": "sample.echo", "depends_on": after}, 202)
    assert told["state"] == "blocked"
    seen = operator.get(f"/api/jobs/{told['jobId']}")
    pending = {
        "type": "sample.echo",
        "state": "scheduled",
        "verdict": "pending",
        "settled_at": None,
    }
    assert seen["depends_on"] == [
        {"job_id": str(parent), "on_failure": "fail", **pending},
        {"job_id": str(other), "on_failure": "skip", **pending},
    ]
    [follower] = operator.get(f"/api/jobs/{other}")["followers"]
    assert (follower["job_id"], follower["state"]) == (told["jobId"], "blocked")
    bulk = {"jobs": [{"type": "sample.echo", "depends_on": [str(parent)]} for _ in range(3)]}
    assert len(operator.post("/api/jobs/bulk", bulk, 202)["jobIds"]) == 3
    cancel(other)
    assert get(told["jobId"]).state == "cancelled"


def test_a_job_may_be_the_only_one_like_it(operator: Caller) -> None:
    body = {"type": "sample.echo", "params": {"value": 1}, "unique": "active"}
    first = operator.post("/api/jobs", body, 202)
    assert operator.post("/api/jobs", body, 200)["jobId"] == first["jobId"]
    hourly = {"type": "sample.echo", "unique_for_seconds": 3600, "unique_key": "k"}
    assert operator.post("/api/jobs", hourly, 202)["jobId"] != first["jobId"]
    operator.post("/api/jobs", {**hourly, "on_duplicate": "error"}, 409)
    cached = {"type": "sample.echo", "params": {"value": "c"}, "result_ttl_seconds": 60}
    ran = operator.post("/api/jobs", cached, 202)["jobId"]
    drain()
    hit = operator.post("/api/jobs", cached, 200)
    assert (hit["jobId"], hit["state"]) == (ran, "completed")
    told = operator.post("/api/jobs", {**hourly, "unique": "active"}, 400)
    assert "give one of them" in told["detail"]


def test_what_a_job_cannot_wait_for_is_refused_by_its_place(operator: Caller) -> None:
    told = operator.post("/api/jobs", {"type": "sample.echo", "depends_on": ["x"]}, 400)
    assert told["errors"][0]["path"].startswith("depends_on.0")
    gone = str(uuid4())
    told = operator.post("/api/jobs", {"type": "sample.echo", "depends_on": [gone]}, 400)
    assert (told["code"], gone in told["detail"]) == ("invalid_option", True)
    wrong = {"job_id": gone, "on_failure": "panic"}
    operator.post("/api/jobs", {"type": "sample.echo", "depends_on": [wrong]}, 400)


def test_a_key_in_the_header_finds_the_same_job(operator: Caller) -> None:
    body = {"type": "sample.echo", "params": {"value": 1}}
    key = {"Idempotency-Key": "report-123"}
    first = operator.post("/api/jobs", body, 202, **key)
    again = operator.post("/api/jobs", body, 200, **key)
    assert (again["jobId"], again["duplicate"]) == (first["jobId"], True)
    body["params"] = {"value": 2}
    told = operator.post("/api/jobs", body, 409, **key)
    assert (told["code"], first["jobId"] in told["detail"]) == ("duplicate_job", True)
    assert Job.objects.count() == 1


def test_an_unknown_type_is_refused_with_the_nearest(operator: Caller) -> None:
    told = operator.post("/api/jobs", {"type": "sample.ecko"}, 400)
    assert (told["code"], told["status"], told["title"]) == ("unknown_job_type", 400, "Bad Request")
    assert "did you mean 'sample.echo'?" in told["detail"]
    assert len(told["request_id"]) == 32


def test_wrong_parameters_are_named_by_their_path(operator: Caller) -> None:
    body = {"type": "notifications.send", "params": {"channel": "email", "to": 7}}
    told = operator.post("/api/jobs", body, 400)
    assert told["code"] == "invalid_parameters"
    assert {"params.to", "params.template"} <= {each["path"] for each in told["errors"]}
    assert not Job.objects.exists()


def test_text_is_not_taken_for_a_number(operator: Caller) -> None:
    body = {"type": "sample.echo", "max_attempts": "3"}
    told = operator.post("/api/jobs", body, 400)
    assert [each["path"] for each in told["errors"]] == ["max_attempts"]


def test_jobs_are_listed_by_pages_newest_first(viewer: Caller) -> None:
    ids = [str(submit("sample.echo", {"value": number}).job_id) for number in range(5)]
    first = viewer.get("/api/jobs?limit=2")
    submit("sample.echo")  # it comes before the pages that are still to be read
    second = viewer.get(f"/api/jobs?limit=2&cursor={first['next']}")
    third = viewer.get(f"/api/jobs?limit=2&cursor={second['next']}")
    seen = [each["id"] for page in (first, second, third) for each in page["items"]]
    assert seen == ids[::-1]
    assert third["next"] is None


def test_lists_are_narrowed(viewer: Caller) -> None:
    submit("sample.echo", {"value": 1}, priority="high")
    later = submit("sample.echo", {"value": "1"}, delay=timedelta(hours=1)).job_id
    gone = submit("sample.sleepy", {"path": "x"}).job_id
    cancel(gone)

    def ids(query: str) -> list[str]:
        return [each["id"] for each in viewer.get(f"/api/jobs?{query}")["items"]]

    assert ids("state=delayed") == ids("state=scheduled") == [str(later)]
    assert ids("state=cancelled") == ids("type=sample.sleepy") == [str(gone)]
    assert len(ids("priority=high")) == 1
    assert ids('type=sample.echo&params={"value":"1"}') == [str(later)]
    assert len(ids('type=sample.echo&params={"value":1}')) == 1
    assert ids("state=delayed&sort=run_at") == [str(later)]
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    assert len(ids(f"created_before={now}")) == 3
    assert ids(f"created_after={now}") == []
    far = "created_before=3097-06-08T02:54:50-17:29&created_after=0867-11-22T05:51:39%2B20:27"
    for path in ("/api/jobs", "/api/dead-letters", "/api/digests"):
        assert isinstance(viewer.get(f"{path}?{far}")["items"], list)


def test_what_is_unknown_in_a_query_is_refused(viewer: Caller) -> None:
    told = viewer.get("/api/jobs?stat=failed", 400)
    assert "'stat' is unknown here; use:" in told["detail"]
    told = viewer.get("/api/jobs?state=broken", 400)
    assert [each["path"] for each in told["errors"]] == ["state"]
    told = viewer.get("/api/jobs?sort=finished", 400)
    assert "needs state=failed" in told["detail"]
    told = viewer.get("/api/jobs?type=a%00b", 400)
    assert "control character" in told["detail"]
    assert viewer.get("/api/jobs?params={}")["items"] == []
    told = viewer.get('/api/jobs?params={"a":1}', 400)
    assert "needs a type" in told["detail"]


def test_a_forged_cursor_is_refused(viewer: Caller) -> None:
    for _ in range(3):
        submit("sample.echo")
    cursor = viewer.get("/api/jobs?limit=2")["next"]
    for forged in ("x", cursor[:-1] + ("a" if cursor[-1] != "a" else "b")):
        assert viewer.get(f"/api/jobs?cursor={forged}", 400)["code"] == "invalid_cursor"
    told = viewer.get(f"/api/jobs?sort=created&cursor={cursor}", 400)
    assert "another order" in told["detail"]


def test_a_job_is_cancelled_and_retried(operator: Caller) -> None:
    job_id = submit("sample.echo").job_id
    assert operator.post(f"/api/jobs/{job_id}/cancel")["state"] == "cancelled"
    assert operator.post(f"/api/jobs/{job_id}/retry")["state"] == "queued"
    told = operator.post(f"/api/jobs/{job_id}/retry", status=409)
    assert told["code"] == "invalid_transition"
    assert set(AuditEntry.objects.values_list("action", flat=True)) >= {"job.cancel", "job.retry"}


def test_what_is_not_there(operator: Caller) -> None:
    assert operator.get(f"/api/jobs/{uuid4()}", 404)["code"] == "job_not_found"
    for act in ("cancel", "retry"):
        assert operator.post(f"/api/jobs/{uuid4()}/{act}", status=404)["code"] == "job_not_found"


def test_types_tell_their_schema(viewer: Caller) -> None:
    types = {each["name"]: each for each in viewer.get("/api/jobs/types")}
    assert types["sample.echo"]["params"]["type"] == "object"
    assert types["sample.echo"]["timeout_seconds"] == 600
