"""How many jobs run at once: the limit holds however many take."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs.domain.outcomes import Completed
from jobs.domain.submission import NewJob
from jobs.models import Job, Worker
from jobs.public import InvalidOption, submit, submit_many
from jobs.selectors.tenants import quotas
from jobs.services import limits
from jobs.services.finishing import finish
from jobs.services.limits import take_within_limits
from jobs.services.taking import Taker

QUEUES = ["critical", "high", "normal", "low"]


@pytest.fixture(autouse=True)
def unmet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin as a process that has met no limit yet."""
    monkeypatch.setattr(limits, "_met", False)


def slot() -> Taker:
    return Taker(worker_id=uuid4(), pid=1)


def one(taker: Taker | None = None, **options: Any) -> Job | None:
    jobs = take_within_limits(taker or slot(), QUEUES, **{"crowded": False, **options})
    return jobs[0] if jobs else None


@pytest.mark.usefixtures("memory")
class TestLimits:
    def test_of_the_site_fifty_unless_said(self) -> None:
        submit_many(NewJob("sample.echo") for _ in range(52))
        running = [one(crowded=True) for _ in range(50)]
        assert all(running)
        assert one(crowded=True) is None
        assert Job.objects.filter(state="queued").count() == 2
        assert running[0] is not None
        finish(running[0], Completed(None))
        assert one(crowded=True) is not None
        assert one(crowded=True) is None

    def test_of_a_key(self) -> None:
        for label in ("a", "a", "b", "", ""):
            submit("sample.keyed", {"path": "/dev/null", "label": label})
        taken = [one() for _ in range(5)]
        assert [job and job.params["label"] for job in taken] == ["a", "b", "", "", None]
        first = taken[0]
        assert first is not None
        finish(first, Completed(None))
        again = one()
        assert again is not None
        assert (again.params["label"], one()) == ("a", None)

    def test_of_a_key_that_the_submission_names(self) -> None:
        told = submit_many(
            NewJob("sample.keyed", {"path": "/dev/null", "label": str(n)}, {"concurrency_key": "k"})
            for n in range(3)
        )
        assert set(Job.objects.values_list("concurrency_key", flat=True)) == {"k"}
        assert (one() is not None, one()) == (True, None)
        assert len(told.errors) == 0

    def test_of_keys_that_many_at_once_have(self) -> None:
        submit_many(NewJob("sample.keyed", {"path": "x", "label": f"{n % 3}"}) for n in range(9))
        assert Job.objects.filter(concurrency_key="2").count() == 3
        taker = slot()
        mine = take_within_limits(taker, QUEUES, limit=4, crowded=False)
        assert [job.concurrency_key for job in mine] == ["0", "1", "2", "0"]
        assert one() is None  # all keys are this slot's

    @pytest.mark.parametrize("key", ["", "x" * 201, "a\nb", 7])
    def test_a_key_that_cannot_be_used_is_refused(self, key: Any) -> None:
        with pytest.raises(InvalidOption, match="concurrency_key must be"):
            submit("sample.keyed", {"path": "x"}, concurrency_key=key)

    def test_a_key_of_a_type_that_has_none_is_refused(self) -> None:
        with pytest.raises(InvalidOption, match=r"declare it with concurrency_per_key"):
            submit("sample.echo", concurrency_key="k")

    def test_of_a_type(self) -> None:
        for label in "abc":
            submit("sample.limited", {"path": "/dev/null", "label": label})
        other = submit("sample.echo", priority="low").job_id
        first, second = one(), one()
        assert first
        assert second
        assert {first.job_type, second.job_type} == {"sample.limited"}
        third = one()
        assert third
        assert third.pk == other
        assert one() is None
        finish(first, Completed(None))
        fourth = one()
        assert fourth
        assert fourth.params["label"] == "c"

    def test_of_a_queue(self, configure: Any) -> None:
        configure(queue_concurrency={"low": 1})
        for _ in range(3):
            submit("sample.echo", priority="low")
        first = one()
        assert first
        assert one() is None
        submit("sample.echo", priority="normal")
        assert one()
        finish(first, Completed(None))
        assert one()

    def test_a_process_that_holds_several_counts_once(self) -> None:
        """Of the prefork pool: it runs them one by one."""
        worker = Worker.objects.create(
            name="w@h", host="h", pid=1, version="5", pool="prefork", concurrency=4,
            started_at=timezone.now(), seen_at=timezone.now(), expires_at=timezone.now(),
        )  # fmt: skip
        submit_many(NewJob("sample.limited", {"path": "/dev/null"}) for _ in range(40))
        for pid in (11, 12):
            taker = Taker(worker_id=worker.pk, pid=pid)
            assert len(take_within_limits(taker, QUEUES, limit=10, crowded=False)) == 10
        assert one(Taker(worker_id=worker.pk, pid=13), limit=10) is None

    def test_jobs_without_a_limit_are_taken_by_one_statement(self) -> None:
        submit("sample.echo")
        quotas()  # looked at every five seconds
        with CaptureQueriesContext(connection) as captured:
            assert one()
        told = [each["sql"] for each in captured if "SAVEPOINT" not in each["sql"]]
        assert len(told) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("crowded", [False, True])
def test_a_limit_holds_however_many_take_at_once(configure: Any, crowded: bool) -> None:
    """Ten times as many slots as may run."""
    configure(backend="memory", max_concurrent_jobs=2)
    for _ in range(40):
        submit("sample.limited", {"path": "/dev/null"})
    most = []

    def work(_: int) -> int:
        ran = 0
        try:
            ends = time.monotonic() + 60
            while Job.objects.filter(state="queued").exists() and time.monotonic() < ends:
                for job in take_within_limits(slot(), QUEUES, crowded=crowded):
                    most.append(Job.objects.filter(state="running").count())
                    time.sleep(0.005)
                    ran += finish(job, Completed(None))
        finally:
            connection.close()
        return ran

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(work, range(20))) == 40
    assert max(most) == 2
