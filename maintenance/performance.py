"""Which job types are slow, and which have become slower."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from maintenance.conf import maintenance_settings
from maintenance.models import HealthReport

#: Averages are taken over all jobs that are kept, so they move slowly: what has become slower
#: step by step shows against a report from so long ago.
LOOK_BACK = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """A job type that takes longer than it did.

    Attributes:
        job_type: the type's name.
        average_run_seconds: what its jobs take now.
        before_seconds: what they took then.
        since: the moment of the earlier report.
    """

    job_type: str
    average_run_seconds: float
    before_seconds: float
    since: datetime

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data; `ratio` is now to then."""
        return {
            "job_type": self.job_type,
            "average_run_seconds": self.average_run_seconds,
            "before_seconds": self.before_seconds,
            "ratio": round(self.average_run_seconds / self.before_seconds, 2),
            "since": self.since.isoformat(),
        }


def slowest(averages: dict[str, float]) -> list[dict[str, Any]]:
    """Return the averages as rows, slowest first."""
    ordered = sorted(averages.items(), key=lambda item: (-item[1], item[0]))
    return [{"job_type": name, "average_run_seconds": seconds} for name, seconds in ordered]


def reports_to_compare(now: datetime) -> list[HealthReport]:
    """Return the report before, and the newest one that is an hour old, as far as they exist."""
    reports = HealthReport.objects.order_by("-at")
    found = [reports.filter(at__lt=now).first(), reports.filter(at__lte=now - LOOK_BACK).first()]
    return [report for report in found if report is not None]


def regressions(averages: dict[str, float], earlier: Sequence[HealthReport]) -> list[Regression]:
    """Return the types that are slower than in one of the reports, each once, by name."""
    found: dict[str, Regression] = {}
    for report in earlier:
        for name, before in report.average_run_seconds.items():
            now = averages.get(name)
            if now is not None and name not in found and _is_slower(now, before):
                found[name] = Regression(
                    job_type=name, average_run_seconds=now, before_seconds=before, since=report.at
                )
    return [found[name] for name in sorted(found)]


def _is_slower(now: float, before: float) -> bool:
    settings = maintenance_settings()
    if before <= 0:
        return False
    enough = now - before >= settings.regression_seconds
    return enough and now >= before * settings.regression_ratio
