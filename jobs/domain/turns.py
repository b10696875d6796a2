"""Turns in proportion to weights."""

from collections.abc import Callable, Collection, Hashable, Mapping
from random import randrange
from typing import Generic, TypeVar

_K = TypeVar("_K", bound=Hashable)


class Turns(Generic[_K]):
    """Smooth weighted round robin, as nginx does it: in turns, in proportion to the weights.

    Of weights 5, 1 and 1 it makes `a a b a c a a`. With equal weights the turn goes round.
    """

    def __init__(self, skip: Callable[[int], int] = randrange) -> None:
        """Make it.

        Args:
            skip: given the length of a round, says how many turns are skipped before the first:
                processes that each wake one worker only should not all wake the same one.
        """
        self._skip: Callable[[int], int] | None = skip
        self._current: dict[_K, int] = {}

    def next(self, weights: Mapping[_K, int]) -> _K:
        """Return whose turn it is; who is not there this time keeps what is due to it.

        Args:
            weights: of at least one name, each above 0; of equals the first goes first.
        """
        if self._skip is not None:
            skipped, self._skip = self._skip(sum(weights.values())), None
            for _ in range(skipped):
                self._step(weights)
        return self._step(weights)

    def forget_all_but(self, names: Collection[_K]) -> None:
        """Forget those who have gone for good."""
        for gone in self._current.keys() - set(names):
            del self._current[gone]

    def _step(self, weights: Mapping[_K, int]) -> _K:
        for name, weight in weights.items():
            self._current[name] = self._current.get(name, 0) + weight
        chosen = max(weights, key=lambda name: self._current[name])
        self._current[chosen] -= sum(weights.values())
        return chosen
