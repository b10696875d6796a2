"""What holds for every answer of the API."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import OperationalError
from django.test import Client

from jobs.public import submit
from tests.integration.api.conftest import Caller

pytestmark = pytest.mark.django_db


def test_what_has_not_changed_is_not_sent_again(viewer: Caller) -> None:
    submit("sample.echo")
    first = viewer.send("GET", "/api/jobs")
    assert (first["Cache-Control"], first.status_code) == ("private, no-cache", 200)
    again = viewer.send("GET", "/api/jobs", **{"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    submit("sample.echo")
    changed = viewer.send("GET", "/api/jobs", **{"If-None-Match": first["ETag"]})
    assert (changed.status_code, changed["ETag"] != first["ETag"]) == (200, True)


def test_every_error_is_a_problem(viewer: Caller) -> None:
    for method, path, status, code in (
        ("GET", "/api/nowhere", 404, "not_found"),
        ("GET", "/api/jobs/not-an-id", 404, "not_found"),
        ("PUT", "/api/jobs", 405, "method_not_allowed"),
        ("GET", "/api/jobs/bulk", 405, "method_not_allowed"),
    ):
        response = viewer.send(method, path)
        assert (response.status_code, response["Content-Type"]) == (
            status, "application/problem+json",
        )  # fmt: skip
        assert response.json()["code"] == code
    assert set(viewer.send("PUT", "/api/jobs")["Allow"].split(", ")) == {"GET", "POST"}


def test_with_the_database_away_it_says_when_to_come_back(
    viewer: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("no connection to db.internal")

    monkeypatch.setattr("jobs.api.jobs.page", away)
    response = viewer.send("GET", "/api/jobs")
    assert (response.status_code, response.json()["code"]) == (503, "database_away")
    assert response["Retry-After"] == "2"
    assert "internal" not in response.content.decode()


def test_a_defect_tells_no_more_than_the_requests_id(
    caller: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("canary")

    using = caller()
    using._client.raise_request_exception = False
    monkeypatch.setattr("jobs.api.jobs.page", broken)
    response = using.send("GET", "/api/jobs")
    assert (response.status_code, response.json()["code"]) == (500, "internal_server_error")
    assert "canary" not in response.content.decode()
    assert response.json()["request_id"] == response["X-Request-ID"]


def test_the_document_and_its_page_are_for_those_inside(viewer: Caller) -> None:
    told = viewer.get("/api/openapi.json")
    assert told["openapi"] == "3.1.0"
    assert "/api/jobs/{job_id}/cancel" in told["paths"]
    Caller(None).get("/api/openapi.json", 401)
    browser = Client()
    page = browser.get("/api/docs", headers={"Accept": "text/html"})
    assert (page.status_code, page["Location"]) == (302, "/admin/login/?next=/api/docs")
    user = User.objects.create_user("ada", is_staff=True)
    user.groups.add(Group.objects.get(name="viewer"))
    browser.force_login(user)
    page = browser.get("/api/docs", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "//" not in page.content.decode().replace("<!--", "").split("<script", 1)[1]


def test_each_job_types_parameters_stand_in_the_document(viewer: Caller) -> None:
    schemas = viewer.get("/api/openapi.json")["components"]["schemas"]
    mapping = schemas["JobIn"]["discriminator"]["mapping"]
    name = mapping["notifications.send"].rpartition("/")[2]
    assert schemas[name]["properties"]["type"]["const"] == "notifications.send"
    params = schemas[name]["properties"]["params"]["$ref"].rpartition("/")[2]
    assert "to" in schemas[params]["properties"]
    assert schemas[name]["required"] == ["type", "params"]
