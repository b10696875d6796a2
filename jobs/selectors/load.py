"""What arrives, and how long it runs: samples that take no longer as the table grows."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from pydantic_core import to_json

from jobs.models import Job
from jobs.selectors.run_times import mean_run_seconds

_WINDOW = timedelta(hours=1)
#: The newest jobs that arrivals are measured by.
_ARRIVALS = 10_000
#: The newest completed jobs of a type whose run time is averaged.
_RUNS = 1_000
#: The newest jobs whose parameters are measured.
_PARAMS = 100


@dataclass(frozen=True, slots=True)
class Load:
    """The load of the last hour.

    Attributes:
        arrival_per_second: jobs that arrived, whatever became of them.
        mean_run_seconds: of a job, by the shares of the types in what arrived; 0 if none ran.
        mean_params_bytes: of a job's parameters, as JSON.
    """

    arrival_per_second: float
    mean_run_seconds: float
    mean_params_bytes: int


def load(now: datetime) -> Load:
    """Return the load of the last hour.

    It is read along the primary key, whose ids sort by time: of more than 10,000 jobs the newest
    ones count, over the time that they took to arrive. So a burst counts at its own pace.
    """
    begin = now - _WINDOW
    # The least id of that moment: a UUIDv7 begins with its milliseconds.
    oldest = UUID(int=int(begin.timestamp() * 1000) << 80)
    newest = Job.objects.filter(pk__gt=oldest).order_by("-pk")
    arrived = list(newest.values_list("job_type", flat=True)[:_ARRIVALS])
    all_of_them = len(arrived) < _ARRIVALS
    since = begin if all_of_them else newest.values_list("created_at", flat=True)[_ARRIVALS - 1]
    seconds = max(1.0, (now - since).total_seconds())
    sizes = [len(to_json(each)) for each in newest.values_list("params", flat=True)[:_PARAMS]]
    return Load(
        arrival_per_second=_rounded(len(arrived) / seconds),
        mean_run_seconds=_rounded(_mean_run_seconds(Counter(arrived), begin)),
        mean_params_bytes=round(sum(sizes) / len(sizes)) if sizes else 0,
    )


def _mean_run_seconds(arrived: Counter[str], begin: datetime) -> float:
    """Return the mean of the types' run times, each as often as it arrived."""
    times = {name: mean_run_seconds(name, sample=_RUNS, since=begin) for name in sorted(arrived)}
    known = {name: took for name, took in times.items() if took is not None}
    weight = sum(arrived[name] for name in known)
    return sum(took * arrived[name] for name, took in known.items()) / weight if weight else 0.0


def _rounded(value: float) -> float:
    """Return three significant digits: what is measured is no more exact than that."""
    return float(f"{value:.3g}")
