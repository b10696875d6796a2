"""What a schedule does when its jobs meet, and with runs that were missed."""

import hashlib
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

#: An occurrence that makes its job later than this was missed.
MISSED_AFTER = timedelta(minutes=1)
#: Missed occurrences that are made up for, of one schedule: the latest.
MOST_MADE_UP_FOR = 100
LONGEST_JITTER = timedelta(days=1)


class Overlap(StrEnum):
    """What becomes of an occurrence while a job of the schedule has not ended."""

    #: Its job runs beside the other.
    RUN = "run"
    #: It makes no job.
    SKIP = "skip"
    #: Its job waits for the other; while one waits, further ones make no job.
    QUEUE_ONE = "queue_one"
    #: Its job waits for the others: one after the other, all of them.
    QUEUE_ALL = "queue_all"
    #: The others are cancelled; its job begins once they have ended.
    CANCEL_RUNNING = "cancel_running"


class Missed(StrEnum):
    """What becomes of occurrences that came while nothing kept time."""

    #: One job for all of them.
    ONCE = "once"
    #: None of them makes a job.
    SKIP = "skip"
    #: Each makes a job, the latest hundred.
    ALL = "all"


#: The same for those who write them as text.
OverlapName = Literal["run", "skip", "queue_one", "queue_all", "cancel_running"]
MissedName = Literal["once", "skip", "all"]


def jittered(occurrence: datetime, jitter: timedelta, *, seed: object) -> datetime:
    """Return the moment of an occurrence, put off by a part of the jitter.

    The same for the same seed and occurrence, so that a preview shows what will be.
    """
    digest = hashlib.sha256(f"{seed}:{occurrence.timestamp()}".encode()).digest()
    share = int.from_bytes(digest[:4], "big") / 2**32
    return occurrence + timedelta(seconds=int(jitter.total_seconds() * share))
