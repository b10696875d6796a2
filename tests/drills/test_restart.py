"""Everything that runs is ended at once, and started again."""

import pytest
from django.db import connection

from tests.drills.conftest import Start
from tests.drills.drill import Drill
from tests.stack import Stack, eventually

JOBS = 1000


@pytest.mark.timeout(300)
@pytest.mark.drill_of("R", "every process restarted with 1,000 jobs queued")
def test_every_process_is_restarted(
    drill: Drill, stack: Stack, start_worker: Start, start_beat: Start
) -> None:
    running = [start_beat(), start_worker()]
    drill.submit(JOBS)
    eventually(lambda: drill.witness.count("effect").total() >= 20, 30)
    for process in running:
        process.kill()
    stack.wipe_broker()
    stack.stop_broker()
    if stack.cluster is not None:
        stack.cluster.halt()
        stack.cluster.run()
        connection.close()
    stack.start_broker()
    drill.fault()
    start_beat()
    start_worker()
    drill.account(within=120)
    assert drill.witness.count("effect").total() >= JOBS
