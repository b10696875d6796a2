"""The audit log: nothing in it is changed or removed, and what is done past that is found."""

import threading

import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.test import Client

from jobs.domain.current import CurrentRequest, serving
from jobs.models import AuditEntry, AuditHead
from jobs.models.audit_guard import guarding, unguarding
from jobs.public import cancel, submit
from jobs.selectors.audit import check_chain
from jobs.services.audit import record


def note(number: int = 0) -> AuditEntry:
    return record(
        actor="ada", action="job.retry", target_type="job", target_id=number, before="failed",
        after={"state": "queued", "ratio": 2.0},
    )  # fmt: skip


def run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "act", ["UPDATE jobs_auditentry SET actor = 'eve'", "DELETE FROM jobs_auditentry"]
)
def test_the_database_refuses_to_change_or_remove_an_entry(act: str) -> None:
    note()
    with pytest.raises(DatabaseError, match="never changed or removed"), transaction.atomic():
        run(act)
    assert AuditEntry.objects.get().actor == "ada"


@pytest.mark.django_db
def test_the_chain_is_whole() -> None:
    for number in range(3):
        note(number)
    found = check_chain()
    assert (found.whole, found.entries, found.older) == (True, 3, 0)
    assert found.head == AuditEntry.objects.latest("id").digest == AuditHead.objects.get().digest


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("act", "broken"),
    [
        ("UPDATE jobs_auditentry SET actor = 'eve' WHERE target_id = '1'", 1),
        ("UPDATE jobs_auditentry SET details = '{}' WHERE target_id = '2'", 2),
        ("UPDATE jobs_auditentry SET address = '10.0.0.1' WHERE target_id = '0'", 0),
        ("UPDATE jobs_auditentry SET digest = '' WHERE target_id = '1'", 1),
        ("DELETE FROM jobs_auditentry WHERE target_id = '1'", 2),
    ],
)
def test_what_was_changed_past_the_guard_is_found(act: str, broken: int) -> None:
    ids = [note(number).pk for number in range(4)]
    run(*unguarding(connection.vendor), act, *guarding(connection.vendor))
    found = check_chain()
    assert (found.whole, found.broken_at) == (False, ids[broken])


@pytest.mark.django_db
def test_what_is_gone_from_the_end_is_missed() -> None:
    for number in range(3):
        note(number)
    act = "DELETE FROM jobs_auditentry WHERE target_id <> '0'"
    run(*unguarding(connection.vendor), act, *guarding(connection.vendor))
    found = check_chain()
    assert (found.whole, found.broken_at, found.missing) == (False, None, 2)


@pytest.mark.django_db
def test_entries_older_than_the_chain_are_told_apart() -> None:
    old = AuditEntry(at=note(9).at, actor="old", action="a", target_type="job", target_id="1", pk=0)
    old.save(force_insert=True)
    found = check_chain()
    assert (found.whole, found.older, found.entries) == (True, 1, 2)


@pytest.mark.django_db(transaction=True)
def test_entries_that_are_added_at_once_make_one_chain() -> None:
    def several() -> None:
        try:
            for number in range(10):
                note(number)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=several) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = check_chain()
    assert (found.whole, found.entries) == (True, 40)


@pytest.mark.django_db
def test_an_entry_says_where_the_request_came_from(admin_client: Client) -> None:
    with serving(CurrentRequest(address="192.0.2.7", request_id="f" * 32)):
        entry = note()
    assert (entry.address, entry.request_id) == ("192.0.2.7", "f" * 32)
    job_id = submit("sample.echo").job_id
    admin_client.post(f"/admin/jobs/job/{job_id}/cancel/")
    entry = AuditEntry.objects.get(action="job.cancel")
    assert (entry.address, len(entry.request_id)) == ("127.0.0.1", 32)
    assert entry.details == {"before": "queued", "after": "cancelled"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("proxies", "forwarded", "known"),
    [
        (0, "203.0.113.9", "127.0.0.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (2, "6.6.6.6, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (1, "", "127.0.0.1"),
        (3, "203.0.113.9", "203.0.113.9"),
    ],
)
def test_what_anyone_may_write_into_a_header_is_not_believed(
    admin_client: Client, settings: object, proxies: int, forwarded: str, known: str
) -> None:
    settings.PROXIES = proxies  # type: ignore[attr-defined]
    job_id = submit("sample.echo").job_id
    address = f"/admin/jobs/job/{job_id}/cancel/"
    admin_client.post(address, headers={"X-Forwarded-For": forwarded})
    assert AuditEntry.objects.get(action="job.cancel").address == known


@pytest.mark.django_db
def test_a_rolled_back_act_leaves_no_entry_and_a_whole_chain() -> None:
    note()
    job_id = submit("sample.echo").job_id
    with transaction.atomic():
        cancel(job_id, actor="ada")
        transaction.set_rollback(True)
    note()
    found = check_chain()
    assert (found.whole, found.entries) == (True, 2)
