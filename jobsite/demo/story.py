"""What the demo does, step by step; each step checks what it shows."""

import subprocess
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import Request, urlopen
from uuid import UUID

from django.utils import timezone

from jobs.contrib.digests.models import Digest, DigestSubscription
from jobs.models import Job
from jobs.public import State, cancel, create_schedule, get, retry, submit, trigger
from jobs.public import list as listed
from jobs.selectors import history
from jobsite.demo.expectations import StepFailed, expect, expect_same
from jobsite.demo.receivers import Receivers
from jobsite.supervision.site import SitePlan
from notifications.models import Delivery

_LONGEST_PERIOD = timedelta(days=30)
SCHEDULE = "demo: every minute"


@dataclass
class Story:
    """The demo's steps, in order; each returns lines that tell what it did."""

    repository: Path
    receivers: Receivers
    plan: SitePlan
    folder: Path

    def steps(self) -> list[tuple[str, Callable[[], list[str]]]]:
        """Return each step with its title."""
        return [
            ("A schedule is kept, for the next full minute", self.keep_schedule),
            ("A digest is made of a real git repository", self.make_digest),
            ("Git itself confirms the figures", self.confirm_by_git),
            ("Its subscribers are told by email, webhook and Slack", self.check_notifications),
            ("Urgent jobs overtake the others", self.show_priorities),
            ("A delayed job waits for its time, another is cancelled", self.show_delay),
            ("A job fails until it is dead; after the repair it is retried", self.fail_and_retry),
            ("The schedule has fired, and is run once more by hand", self.check_schedule),
            ("Flower shows jobs by the names of their types", self.check_flower),
        ]

    def keep_schedule(self) -> list[str]:
        """Create a schedule for each minute."""
        schedule = create_schedule(
            SCHEDULE, "maintenance.health", cron="* * * * *", time_zone="Europe/Berlin"
        )
        return [
            f"{schedule.cron} in {schedule.timezone}, next at {schedule.next_run_at:%H:%M:%S} UTC"
        ]

    def make_digest(self) -> list[str]:
        """Subscribe three recipients and have the digest made."""
        for channel, recipient in self._subscribers().items():
            DigestSubscription.objects.create(
                repository=str(self.repository), channel=channel, recipient=recipient
            )
        start, end = self._period()
        job = self._completed(
            submit(
                "digests.generate",
                {"repository": str(self.repository), "start": start, "end": end},
                priority="high",
            ).job_id
        )
        digest = Digest.objects.get(job=job)
        told = ", ".join(f"{count} {name}" for name, count in digest.data["counts"].items())
        return [digest.title, told, *_excerpt(digest.markdown)]

    def confirm_by_git(self) -> list[str]:
        """Run the command that the digest gives for each count, and compare."""
        digest = Digest.objects.latest("created_at")
        lines = []
        for name, command in digest.data["commands"].items():
            ran = self._run("bash", "-c", command)
            expected = digest.data["counts"][name]
            if ran.stdout.strip() != str(expected):
                git = ran.stdout.strip() or ran.stderr.strip()
                raise StepFailed(f"the digest counts {expected} {name}, git says {git!r}")
            lines.append(f"{name}: {expected}")
        return [", ".join(lines)]

    def check_notifications(self) -> list[str]:
        """Compare the deliveries with what has arrived: one message on each channel."""
        digest = Digest.objects.latest("created_at")
        jobs = [self._completed(job.pk) for job in listed(parent_id=digest.job_id)]
        rows = {row.channel: row for row in Delivery.objects.filter(job__in=jobs)}
        subscribers = self._subscribers()
        expect_same(
            "deliveries",
            {name: (row.recipient, row.state, row.attempts) for name, row in rows.items()},
            {name: (recipient, "delivered", 1) for name, recipient in subscribers.items()},
        )
        got, ids = self.receivers.received, {name: str(row.pk) for name, row in rows.items()}
        expect_same(
            "mails",
            [(mail["to"], mail["subject"], mail["message-id"]) for mail in got.mails],
            [(subscribers["email"], digest.title, f"<{ids['email']}@example.com>")],
        )
        expect_same(
            "webhooks",
            [(hook["id"], hook["payload"]["data"]["counts"]) for hook in got.hooks],
            [(ids["webhook"], digest.data["counts"])],
        )
        expect_same("webhooks with a wrong signature", got.forged_hooks, 0)
        expect_same(
            "Slack messages",
            [(sent["channel"], sent["metadata"]["event_payload"]) for sent in got.slack],
            [(subscribers["slack"], {"delivery_id": ids["slack"]})],
        )
        text = got.slack[0]["text"]
        if digest.get_absolute_url() not in text:
            raise StepFailed(f"the Slack message has no link to the digest: {text[:200]}")
        return [
            f"email to {got.mails[0]['to']}: {got.mails[0]['subject']}",
            f"webhook {got.hooks[0]['id']}, signature verified",
            f"Slack {got.slack[0]['channel']}: {text[:80]}",
            f"{len(rows)} deliveries, each in its first attempt",
        ]

    def show_priorities(self) -> list[str]:
        """Submit the four priorities at one moment, the least urgent first."""
        freed = self.folder / "freed"
        # One process is left to take jobs: what two take at once may start in either order.
        busy = [
            submit("demo.occupy", {"until": freed}).job_id for _ in range(self.plan.concurrency - 1)
        ]
        try:
            expect(
                lambda: all(get(job_id).state == State.RUNNING for job_id in busy),
                "a process is not kept busy",
            )
            at = timezone.now() + timedelta(seconds=2)
            names = ["low", "normal", "high", "critical"] * 3
            ids = [submit("maintenance.health", priority=name, run_at=at).job_id for name in names]
            jobs = [self._completed(job_id) for job_id in ids]
        finally:
            freed.touch()
        for job_id in busy:
            self._completed(job_id)
        started = sorted(jobs, key=lambda job: job.started_at or at)
        expected = sorted(jobs, key=lambda job: (job.priority, job.pk))
        expect_same("order of the starts", _labels(started), _labels(expected))
        expect_same("order of equals", [job.pk for job in started], [job.pk for job in expected])
        return [" → ".join(_labels(started))]

    def show_delay(self) -> list[str]:
        """Let one delayed job start by itself and cancel another."""
        later = submit("maintenance.health", delay=timedelta(hours=1))
        if cancel(later.job_id, actor="demo").state != State.CANCELLED:
            raise StepFailed(f"job {later.job_id} was not cancelled")
        job = self._completed(submit("maintenance.health", delay=timedelta(seconds=1)).job_id)
        if job.started_at is None or job.started_at < job.run_at:
            raise StepFailed(f"job {job.pk} started before its time")
        late = (job.started_at - job.run_at) / timedelta(milliseconds=1)
        return [f"due after 1 s, started {late:.0f} ms late; the other was cancelled at once"]

    def fail_and_retry(self) -> list[str]:
        """Have a job fail three times, repair what it calls, and retry it."""
        repaired = self.folder / "repaired"
        submission = submit("demo.call_service", {"repaired": repaired})
        expect(lambda: get(submission.job_id).is_final, "the job did not end")
        dead = get(submission.job_id)
        tried = history.attempts(dead)
        expect_same(
            "the end of the job",
            (dead.state, dead.failure_reason, [each.outcome for each in tried]),
            (State.FAILED, "retries_exhausted", ["error"] * 3),
        )
        repaired.touch()
        retry(dead.pk, actor="demo")
        job = self._completed(dead.pk)
        expect_same(
            "the job after the repair",
            (job.result, [each.outcome for each in history.attempts(job)]),
            ({"answer": "paid"}, ["error"] * 3 + ["completed"]),
        )
        return [
            f"{len(tried)} attempts, then {dead.state} ({dead.failure_reason}): {dead.error}",
            f"retried after the repair: {job.state}, {job.result}",
        ]

    def check_schedule(self) -> list[str]:
        """Wait for the schedule's first occurrence, then trigger it."""
        expect(
            lambda: listed(schedule=SCHEDULE), "the schedule did not fire", timedelta(seconds=75)
        )
        fired = self._completed(listed(schedule=SCHEDULE)[-1].pk)
        by_hand = self._completed(trigger(SCHEDULE, actor="demo").job_id)
        if fired.occurrence is None or by_hand.occurrence is not None:
            raise StepFailed("the occurrence is not where it belongs")
        return [
            f"occurrence {fired.occurrence:%H:%M:%S} UTC made job {fired.pk}",
            f"by hand: job {by_hand.pk}, trigger {by_hand.trigger}",
        ]

    def check_flower(self) -> list[str]:
        """Ask Flower's API for the jobs' names."""
        url = f"{self.plan.flower_url}/api/tasks"
        credentials = b64encode(f"jobsite:{self.plan.flower_password}".encode()).decode()
        request = Request(url, headers={"Authorization": f"Basic {credentials}"})  # noqa: S310 - our own Flower

        def shown() -> bool:
            with urlopen(request, timeout=5) as answer:  # noqa: S310 - our own Flower
                return b'"digests.generate"' in answer.read()

        expect(shown, "Flower does not show the digest's job")
        return [f"digests.generate and the others at {self.plan.flower_url}/tasks"]

    def _subscribers(self) -> dict[str, str]:
        """Return who is told about the digest, by channel."""
        return {
            "email": "team@example.com",
            "webhook": f"{self.receivers.url}/hook",
            "slack": "#releases",
        }

    def _period(self) -> tuple[datetime, datetime]:
        """Return the last 30 days of the repository's history, to its last commit."""
        last = self._git("log", "-1", "--format=%ct")
        roots = self._git("log", "--max-parents=0", "--format=%ct").split()
        end = datetime.fromtimestamp(int(last) + 1, UTC)
        first = datetime.fromtimestamp(min(int(root) for root in roots), UTC)
        return max(first, end - _LONGEST_PERIOD), end

    def _git(self, *arguments: str) -> str:
        ran = self._run("git", *arguments)
        if ran.returncode or not ran.stdout.strip():
            why = ran.stderr.strip() or "it has no commits"
            raise StepFailed(f"git cannot read {self.repository}: {why}")
        return ran.stdout.strip()

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - the demo's own commands, on the user's repository
            command, cwd=self.repository, capture_output=True, text=True, check=False
        )

    def _completed(self, job_id: UUID) -> Job:
        expect(lambda: get(job_id).is_final, f"job {job_id} did not end")
        job = get(job_id)
        if job.state != State.COMPLETED:
            raise StepFailed(f"job {job_id} ({job.job_type}) is {job.state}: {job.error}")
        return job


def _labels(jobs: list[Job]) -> list[str]:
    return [job.priority_label for job in jobs]


def _excerpt(markdown: str) -> list[str]:
    lines = [line for line in markdown.splitlines() if line.strip()]
    return [f"  {line[:110]}" for line in lines[1:12]]
