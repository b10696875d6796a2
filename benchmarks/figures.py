"""Figures and how they are made."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of work that is measured.

    Attributes:
        title: for people.
        reach: what it should come to, in words.
        measure: takes the bench, returns the figures.
        verdict: takes the figures, returns whether they reach it.
    """

    title: str
    reach: str
    measure: Callable[[Any], Figures]
    verdict: Callable[[Figures], bool]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of the values does not exceed; 0 for none."""
    if not values:
        return 0.0
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def spread(seconds: Sequence[float]) -> Figures:
    """Return p50, p95 and p99 in milliseconds."""
    return {
        f"p{round(share * 100)}_ms": round(percentile(seconds, share) * 1000, 2)
        for share in (0.5, 0.95, 0.99)
    }
