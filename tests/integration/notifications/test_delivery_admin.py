from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from notifications.models import Delivery
from tests.integration.notifications.conftest import SendJob

LIST = "/admin/notifications/delivery/"


@pytest.fixture(autouse=True)
def _static_files(settings: Settings, tmp_path: Path) -> None:
    # WhiteNoise warns of a folder that only `collectstatic` makes.
    settings.STATIC_ROOT = tmp_path


@pytest.fixture
def delivery(job: SendJob) -> Delivery:
    return Delivery.objects.create(
        job=job.job,
        channel="webhook",
        recipient="https://me:SECRET@hooks.example/a?token=SECRET",
        template="digest",
        subject="<b>Weekly</b>",
        state=Delivery.State.DELIVERED,
        attempts=2,
        answer="204",
        delivered_at=timezone.now(),
    )


def test_the_list_shows_what_became_of_it(admin_client: Client, delivery: Delivery) -> None:
    page = admin_client.get(LIST).content.decode()
    assert "https://hooks.example/a?…" in page
    assert "✓</span> delivered</span>" in page
    assert "<h1>Deliveries</h1>" in page
    assert f"/admin/jobs/job/{delivery.job_id}/change/" in page
    assert "SECRET" not in page


def test_the_page_of_one_is_to_read_only(admin_client: Client, delivery: Delivery) -> None:
    url = f"{LIST}{delivery.pk}/change/"
    page = admin_client.get(url).content.decode()
    assert "204" in page
    assert "SECRET" not in page
    assert "&lt;b&gt;Weekly" in page
    assert 'name="_save"' not in page
    assert "historylink" not in page
    assert admin_client.post(url, {"state": "failed"}).status_code == 403
    assert admin_client.get(f"{LIST}add/").status_code == 403
    assert admin_client.post(f"{LIST}{delivery.pk}/delete/", {"post": "yes"}).status_code == 403


def test_the_error_stands_below_the_recipient(admin_client: Client, delivery: Delivery) -> None:
    Delivery.objects.update(last_error="HTTP 410: <b>Gone</b>")
    page = admin_client.get(LIST).content.decode()
    assert '<div class="job-error-line">HTTP 410: &lt;b&gt;Gone&lt;/b&gt;</div>' in page


@pytest.mark.parametrize(
    ("state", "permanent", "told"),
    [
        (Delivery.State.RETRYING, False, "it will be tried again"),
        (Delivery.State.FAILED, True, "refused for good"),
        (Delivery.State.FAILED, False, "last attempt"),
    ],
)
def test_what_follows_an_error_is_told_in_words(
    admin_client: Client, delivery: Delivery, state: str, permanent: bool, told: str
) -> None:
    Delivery.objects.update(
        state=state, permanent=permanent, delivered_at=None, last_error="no answer"
    )
    page = admin_client.get(f"{LIST}{delivery.pk}/change/").content.decode()
    assert told in page
    assert "icon-yes" not in page


@pytest.mark.parametrize(("kind", "found"), [("permanent", True), ("passing", False)])
def test_errors_are_filtered_by_kind(
    admin_client: Client, delivery: Delivery, kind: str, found: bool
) -> None:
    Delivery.objects.update(
        state=Delivery.State.FAILED, permanent=True, delivered_at=None, last_error="no answer"
    )
    page = admin_client.get(LIST, {"error": kind}).content.decode()
    assert ("hooks.example/a" in page) is found


def test_a_list_that_nobody_searched_counts_no_results(
    admin_client: Client, delivery: Delivery
) -> None:
    page = admin_client.get(LIST).content.decode()
    assert "1 delivery" in page
    assert "1 result" not in page
    assert "Show all" not in page


@pytest.mark.parametrize("query", ["hooks.example", "Weekly", "{job}"])
def test_search_finds_it(admin_client: Client, delivery: Delivery, query: str) -> None:
    page = admin_client.get(LIST, {"q": query.format(job=delivery.job_id)}).content.decode()
    assert "hooks.example/a" in page


@pytest.mark.parametrize("query", ["nothing-like-it", "0192", "'; --"])
def test_a_search_for_anything_else_finds_nothing(
    admin_client: Client, delivery: Delivery, query: str
) -> None:
    answer = admin_client.get(LIST, {"q": query})
    assert answer.status_code == 200
    assert "hooks.example/a" not in answer.content.decode()


def test_filters_narrow_the_list(admin_client: Client, delivery: Delivery) -> None:
    found = admin_client.get(LIST, {"state__exact": "delivered", "channel": "webhook"})
    assert "hooks.example/a" in found.content.decode()
    missed = admin_client.get(LIST, {"state__exact": "failed"})
    assert "hooks.example/a" not in missed.content.decode()


def test_a_delivery_whose_job_is_gone_still_shows(admin_client: Client, delivery: Delivery) -> None:
    Delivery.objects.update(job=None)
    assert admin_client.get(f"{LIST}{delivery.pk}/change/").status_code == 200


def test_people_without_the_permission_see_nothing(client: Client, delivery: Delivery) -> None:
    staff = User.objects.create_user("staff", password="x", is_staff=True)
    client.force_login(staff)
    assert client.get(LIST).status_code == 403
