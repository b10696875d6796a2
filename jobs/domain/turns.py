"""Turns in proportion to weights."""

from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

_K = TypeVar("_K", bound=Hashable)


class WeightedTurns(Generic[_K]):
    """Gives turns in proportion to weights, evenly spread: the smooth weighted round robin.

    Of `{a: 2, b: 1}` the turns are a, b, a, a, b, a. The method is that of nginx
    (`ngx_http_upstream_round_robin`): each candidate earns its weight, and the richest pays for
    the turn with the weight of all.
    """

    def __init__(self) -> None:
        self._earned: dict[_K, float] = {}

    def next(self, weights: Mapping[_K, float]) -> _K:
        """Return whose turn it is.

        Args:
            weights: each candidate's, above 0; not empty. They may change from turn to turn: one
                that is missing loses what it has earned.
        """
        self._earned = {each: self._earned.get(each, 0) + of for each, of in weights.items()}
        chosen = max(self._earned, key=self._earned.__getitem__)
        self._earned[chosen] -= sum(weights.values())
        return chosen
