"""What the suite runs on: a database, Redis, and the site's processes, each started by the suite.

JOBSITE_TEST_STACK chooses `sqlite` (with the embedded Redis, the default) or `postgresql`
(with Redis over TCP).
"""

from tests.stack.process import LIVE, Process, eventually
from tests.stack.run import Stack, current

__all__ = ["LIVE", "Process", "Stack", "current", "eventually"]
