"""Digests are pleasant to read in the admin, and cannot be edited."""

import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth import get_user_model
from django.contrib.staticfiles import finders
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from jobs.contrib.digests.models import Digest, DigestSubscription
from jobs.contrib.digests.storage import store_digest
from jobs.domain.registry import registry
from tests.integration.digests.test_digest_job import job_row
from tests.unit.digests.activities import BOB, change, summary

pytestmark = pytest.mark.django_db


@pytest.fixture
def digest() -> Digest:
    made = summary(commits=(change("feat!: <b>bold</b>", BOB, additions=70, deletions=2),))
    return store_digest(made, title="This week", zone=ZoneInfo("UTC"), job_id=job_row().id)


@pytest.fixture
def staff(settings: Settings) -> Client:
    # Nothing is collected for tests, and WhiteNoise warns of a folder that is not there.
    settings.WHITENOISE_AUTOREFRESH = True
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("root", "r@example.com", "pw"))
    return client


def page(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def test_the_page_shows_the_digest_its_figures_and_its_job(digest: Digest, staff: Client) -> None:
    html = page(staff, digest.get_absolute_url())
    assert "<h1>This week</h1>" in html
    assert "&lt;b&gt;bold&lt;/b&gt;" in html
    assert "<b>bold</b>" not in html
    assert re.search(r'<th scope="row">lines added</th>\s*<td class="number">70</td>', html)
    assert "<code>git rev-list --count --no-merges" in html
    assert f'href="/admin/jobs/job/{digest.job_id}/change/"' in html
    assert "historylink" not in html
    assert "viewsitelink" not in html


def test_figures_without_commands_are_told_once(digest: Digest, staff: Client) -> None:
    digest.data["commands"] = {}
    digest.save()
    html = page(staff, digest.get_absolute_url())
    assert "Commands that confirm the figures" not in html
    assert html.count(">lines added<") == 1


def test_the_page_has_no_inline_script_or_handler(digest: Digest, staff: Client) -> None:
    html = page(staff, digest.get_absolute_url())
    assert not re.search(r"<script(?![^>]*\ssrc=)(?![^>]*application/json)", html)
    assert not re.search(r"<[^>]*\s(on\w+|style)=", html.partition('class="digest-page"')[2])
    assert "digests/digest.css" in html


def test_what_is_in_the_database_is_sanitised_before_it_is_shown(
    digest: Digest, staff: Client
) -> None:
    Digest.objects.update(html="<p>ok</p><script>alert(1)</script><img src=x onerror=alert(1)>")
    html = page(staff, digest.get_absolute_url())
    assert "<p>ok</p>" in html
    assert "alert(1)" not in html


def test_the_list_shows_repository_period_and_counts(digest: Digest, staff: Client) -> None:
    html = page(staff, reverse("admin:digests_digest_changelist"))
    assert "/srv/project" in html
    assert "1\N{EN DASH}7 Mar 2026" in html
    assert "Sun 01 Mar 2026, 00:00:00 UTC to Sun 08 Mar 2026, 00:00:00 UTC" in html
    assert "<h1>Digests</h1>" in html
    assert "1 commits, 1 contributors" in html


def test_a_digest_cannot_be_added_or_edited(digest: Digest, staff: Client) -> None:
    assert staff.get(reverse("admin:digests_digest_add")).status_code == 403
    assert staff.post(digest.get_absolute_url(), {"title": "Other"}).status_code == 403
    digest.refresh_from_db()
    assert digest.title == "This week"


def test_a_subscription_can_be_added_and_only_once(staff: Client) -> None:
    url = reverse("admin:digests_digestsubscription_add")
    values = {"repository": "o/r", "channel": "email", "recipient": "a@b.example", "enabled": "on"}
    assert staff.post(url, values).status_code == 302
    assert "already exists" in staff.post(url, values).content.decode()
    assert DigestSubscription.objects.count() == 1
    assert "a@b.example" in page(staff, reverse("admin:digests_digestsubscription_changelist"))


@pytest.mark.parametrize(
    ("channel", "recipient", "field", "message"),
    [
        ("pigeon", "a@b.example", "channel", "use one of: email, slack, webhook"),
        ("email", "no address", "recipient", "no address"),
    ],
)
def test_a_subscription_that_could_not_be_told_is_refused(
    staff: Client, channel: str, recipient: str, field: str, message: str
) -> None:
    url = reverse("admin:digests_digestsubscription_add")
    values = {"repository": "o/r", "channel": channel, "recipient": recipient}
    form = staff.post(url, values).context["adminform"].form
    assert list(form.errors) == [field]
    assert message in str(form.errors[field])
    assert not DigestSubscription.objects.exists()


def test_a_site_without_notifications_checks_no_addresses(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = {name: each for name, each in registry._types.items() if "notif" not in name}
    monkeypatch.setattr(registry, "_types", others)
    url = reverse("admin:digests_digestsubscription_add")
    staff.post(url, {"repository": "o/r", "channel": "pigeon", "recipient": "the loft"})
    assert DigestSubscription.objects.get().recipient == "the loft"


def test_a_digest_can_be_deleted_by_those_who_may(digest: Digest, staff: Client) -> None:
    url = reverse("admin:digests_digest_delete", args=[digest.pk])
    assert staff.post(url, {"post": "yes"}).status_code == 302
    assert not Digest.objects.exists()


def test_the_database_refuses_a_second_subscription_and_a_period_that_ends_early() -> None:
    DigestSubscription.objects.create(repository="o/r", recipient="a@b.c")
    with pytest.raises(IntegrityError), transaction.atomic():
        DigestSubscription.objects.create(repository="o/r", recipient="a@b.c")
    now = datetime(2026, 3, 1, tzinfo=UTC)
    with pytest.raises(IntegrityError), transaction.atomic():
        Digest.objects.create(repository="o/r", source="git", start=now, end=now, data={})


def test_a_job_has_one_digest_at_most(digest: Digest) -> None:
    digest.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        digest.save(force_insert=True)


def test_the_styles_are_part_of_the_app() -> None:
    found = finders.find("digests/digest.css")
    assert isinstance(found, str)
    assert ".digest-page" in Path(found).read_text()
