"""Turns follow the weights, evenly spread."""

from collections import Counter
from itertools import pairwise

from jobs.domain.turns import Turns


def test_each_gets_its_share_and_none_its_turns_in_a_row() -> None:
    turns: Turns[str] = Turns(lambda _length: 0)
    weights = {"a": 5, "b": 1, "c": 1}
    first = [turns.next(weights) for _ in range(7)]
    assert first == ["a", "a", "b", "a", "c", "a", "a"]  # the example of nginx's own method
    assert Counter(turns.next(weights) for _ in range(700)) == {"a": 500, "b": 100, "c": 100}


def test_equal_weights_are_a_round() -> None:
    turns: Turns[int] = Turns(lambda _length: 0)
    given = [turns.next({1: 1, 2: 1, 3: 1}) for _ in range(30)]
    assert all(before != after for before, after in pairwise(given))
    assert Counter(given) == {1: 10, 2: 10, 3: 10}


def test_who_comes_late_is_not_owed_the_past() -> None:
    turns: Turns[str] = Turns(lambda _length: 0)
    for _ in range(100):
        turns.next({"a": 1})
    assert Counter(turns.next({"a": 1, "b": 1}) for _ in range(10)) == {"a": 5, "b": 5}
