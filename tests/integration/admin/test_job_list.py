from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from jobs.admin import read_only
from jobs.domain.priority import Priority
from jobs.domain.states import State
from jobs.models import Job
from jobs.public import create_schedule

LIST = "/admin/jobs/job/"
JobIn = Callable[..., Job]


def listed(browser: Client, query: str = "") -> list[str]:
    """Return the short ids that the list shows, in its order."""
    response = browser.get(f"{LIST}?{query}")
    assert response.status_code == 200, response
    return [str(job.pk) for job in response.context["cl"].result_list]


def ids(*jobs: Job) -> list[str]:
    return [str(job.pk) for job in jobs]


def test_the_list_shows_the_newest_job_first(browser: Client, job_in: JobIn) -> None:
    first, second = job_in(), job_in()
    assert listed(browser) == ids(second, first)


def test_a_row_tells_type_state_priority_attempts_and_the_first_line_of_the_error(
    browser: Client, job_in: JobIn
) -> None:
    job = job_in(
        State.FAILED,
        priority=Priority.HIGH,
        queue="sample.high",
        attempt=2,
        error="first line\nsecond line",
    )
    page = browser.get(LIST).content.decode()
    assert f'href="/admin/jobs/job/{job.pk}/change/"' in page
    assert f"…{str(job.pk)[-8:]}" in page
    assert "high" in page
    assert "sample.high" in page
    assert "2/4" in page
    assert "1 min 30 s" in page
    assert "first line" in page
    assert "second line" not in page


def test_a_state_is_told_by_text_and_by_a_glyph_of_its_own(browser: Client, job_in: JobIn) -> None:
    for state in State:
        job_in(state)
    page = browser.get(LIST).content.decode()
    table = page[page.index('id="result_list"') :]
    glyphs = set()
    for state in State:
        badge = table.split(f"job-badge--{state}")[1].split("</span> ")
        glyphs.add(badge[0].rpartition(">")[2])
        assert badge[1].startswith(f"{state}</span>")
    assert len(glyphs) == len(State)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("state=failed", [State.FAILED]),
        ("state=dead", [State.FAILED]),
        ("state=waiting", [State.QUEUED]),
        ("state=active", [State.RUNNING]),
        ("state=delayed", [State.RETRYING, State.SCHEDULED]),
        ("state=pending", [State.RETRYING, State.QUEUED, State.SCHEDULED, State.BLOCKED]),
    ],
)
def test_the_state_filter_knows_states_and_their_aliases(
    browser: Client, job_in: JobIn, query: str, expected: list[State]
) -> None:
    jobs = {state: job_in(state) for state in State}
    assert sorted(listed(browser, query)) == sorted(ids(*(jobs[state] for state in expected)))


def test_an_alias_is_listed_only_while_it_is_chosen(browser: Client) -> None:
    page = browser.get(LIST).content.decode()
    assert "?state=cancelled" in page
    assert "?state=delayed" not in page
    assert "delayed: retrying, scheduled" in browser.get(f"{LIST}?state=delayed").content.decode()


def test_a_row_says_when_the_job_is_due_or_how_far_it_is(browser: Client, job_in: JobIn) -> None:
    now = timezone.now()
    job_in(State.SCHEDULED, run_at=now + timedelta(hours=1, minutes=1))
    job_in(State.RETRYING, run_at=now + timedelta(days=3, minutes=1))
    job_in(State.RUNNING, started_at=now - timedelta(minutes=4), progress=6)
    job_in(State.RUNNING, started_at=now - timedelta(hours=5))
    page = browser.get(LIST).content.decode()
    cells = [each.split("</td>")[0] for each in page.split('class="field-ran">')[1:]]
    unreported, running, retrying, scheduled = cells
    assert running.startswith("4 min")
    assert running.endswith(", 6 %")
    assert unreported.startswith("5 h")
    assert "%" not in unreported
    assert (retrying[:4], scheduled[:4]) == ("due ", "due ")
    assert "in 3 d" in retrying
    assert "in 1 h" in scheduled


def test_an_unknown_state_in_the_address_leads_back_to_the_whole_list(
    browser: Client, job_in: JobIn
) -> None:
    response = browser.get(f"{LIST}?state=nonsense")
    assert response.status_code == 302
    assert response.headers["Location"].endswith("?e=1")


def test_filters_compose(browser: Client, job_in: JobIn) -> None:
    wanted = job_in(State.FAILED, job_type="sample.nested", params={"period": {"start": 1}},
                    priority=Priority.LOW, queue="low", trigger="task")  # fmt: skip
    job_in(State.FAILED)
    job_in(State.COMPLETED, job_type="sample.nested", params={"period": {"start": 1}})
    query = "state=failed&job_type=sample.nested&priority__exact=3&queue=low&trigger__exact=task"
    assert listed(browser, query) == ids(wanted)


def test_the_time_filter(browser: Client, job_in: JobIn) -> None:
    now = timezone.now()
    new = job_in()
    older = job_in(created_at=now - timedelta(hours=2))
    oldest = job_in(created_at=now - timedelta(days=2))
    assert listed(browser, "since=hour") == ids(new)
    assert listed(browser, "since=day") == ids(older, new)
    assert listed(browser, "since=week") == ids(oldest, older, new)


def test_links_narrow_the_list_to_a_schedule_or_a_parent(browser: Client, job_in: JobIn) -> None:
    schedule = create_schedule("nightly", "sample.echo", cron="0 2 * * *")
    parent = job_in()
    of_schedule, child = job_in(schedule=schedule), job_in(parent=parent)
    assert listed(browser, f"schedule={schedule.pk}") == ids(of_schedule)
    assert listed(browser, f"parent={parent.pk}") == ids(child)
    assert "nightly" in browser.get(f"{LIST}?schedule={schedule.pk}").content.decode()
    assert browser.get(f"{LIST}?parent=nonsense").status_code == 302


def test_search_finds_by_id_key_type_and_error(browser: Client, job_in: JobIn) -> None:
    job = job_in(State.FAILED, idempotency_key="invoice-2026-11", error="disk full on /srv")
    other = job_in(job_type="sample.nested", params={"period": {"start": 1}})
    text = str(job.pk)
    for term in (text, text.replace("-", ""), text.upper(), text[-8:], f"…{text[-8:]}"):
        assert listed(browser, f"q={term}") == ids(job), term
    assert sorted(listed(browser, f"q={text[:8]}")) == sorted(ids(job, other))
    assert listed(browser, "q=invoice-2026-11") == ids(job)
    assert listed(browser, "q=sample.nested") == ids(other)
    assert listed(browser, "q=disk+full") == ids(job)
    assert listed(browser, "q=nothing+like+it") == []


def test_search_stays_within_the_filters(browser: Client, job_in: JobIn) -> None:
    job = job_in(State.FAILED)
    assert listed(browser, f"state=completed&q={job.pk}") == []
    assert listed(browser, f"state=completed&q={str(job.pk)[-8:]}") == []


def test_the_list_takes_the_same_few_queries_however_long_it_is(
    browser: Client, job_in: JobIn, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    schedule = create_schedule("nightly", "sample.echo", cron="0 2 * * *")
    for state in State:
        for _ in range(4):
            job_in(state, schedule=schedule)
    with django_assert_max_num_queries(5):  # session, user, count, page, and one to spare
        browser.get(LIST)


def test_the_list_neither_counts_to_the_end_nor_loads_what_is_large(
    browser: Client,
    job_in: JobIn,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    monkeypatch.setattr(read_only, "MOST_COUNTED", 3)
    for _ in range(5):
        job_in()
    with django_assert_max_num_queries(5) as captured:
        page = browser.get(LIST).content.decode()
    assert "more than 3 jobs" in page
    counts = [each["sql"] for each in captured.captured_queries if "COUNT(" in each["sql"]]
    assert counts
    assert all("LIMIT 4" in sql for sql in counts)
    assert not any('"result"' in each["sql"] for each in captured.captured_queries)


@pytest.mark.parametrize("column", range(1, 8))
def test_every_column_can_be_asked_to_sort(browser: Client, job_in: JobIn, column: int) -> None:
    jobs = [job_in(), job_in(State.FAILED)]
    assert sorted(listed(browser, f"o={column}")) == sorted(ids(*jobs))


def test_a_user_without_the_permission_does_not_see_the_list(
    browser_of: Callable[..., Client],
) -> None:
    assert browser_of().get(LIST).status_code == 403


def test_an_anonymous_visitor_is_sent_to_the_login(db: None) -> None:
    response = Client().get(LIST)
    assert response.status_code == 302
    assert "/login/" in response.headers["Location"]
