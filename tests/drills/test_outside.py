"""What the outside does to deliveries stays with them: nothing hangs, and they arrive later."""

import base64
from datetime import timedelta

import pytest

from jobs.models import Attempt
from jobs.public import get, submit
from notifications.models import Delivery
from tests.drills.conftest import Start
from tests.drills.drill import Drill
from tests.servers.http import Answer, HttpServer
from tests.servers.mail import MailServer
from tests.stack import eventually

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes, ok").decode()
#: A call, and what is around it.
LONGEST_CALL = timedelta(seconds=11)


@pytest.mark.timeout(200)
@pytest.mark.drill_of(19, "a webhook that drips for ever, and no SMTP server")
def test_the_outside_is_slow_or_away(drill: Drill, start_worker: Start, start_beat: Start) -> None:
    mail = MailServer()  # its port is known, and nothing listens there yet
    with HttpServer() as hooks:
        hooks.answers = {"/drips": Answer(drips=True)}
        start_beat()
        start_worker(EMAIL_URL=mail.url, WEBHOOK_SECRET=SECRET, no_proxy="127.0.0.1")
        told = {"template": "message", "data": {"text": "hello"}}
        drips = submit(
            "notifications.send", {**told, "channel": "webhook", "to": hooks.url("/drips")}
        ).job_id
        letter = submit(
            "notifications.send", {**told, "channel": "email", "to": "ada@example.org"}
        ).job_id
        drill.submit(20, params={"seconds": 0.05})
        failed = Attempt.objects.filter(job_id__in=[drips, letter], outcome="error")
        eventually(lambda: failed.values("job_id").distinct().count() == 2, 40)
        assert max(each.finished_at - each.started_at for each in failed) <= LONGEST_CALL
        # The other jobs have not felt it, and the two wait to be tried again.
        assert drill.all_final()
        assert {get(drips).state, get(letter).state} <= {"retrying", "queued", "running"}
        hooks.answers = {"/drips": Answer(204)}
        with mail:
            drill.disturbed()
            drill.ids += [drips, letter]
            drill.account(within=60, runs_at_most=1)
            assert mail.recipients() == ["ada@example.org"]
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}
