"""The plan follows its formula, at its bounds too."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.domain.capacity import Inputs, plan

GIB = 2**30
SITE = Inputs(
    cores=4, memory_bytes=16 * GIB, slot_bytes=100 * 2**20, arrival_per_second=100,
    mean_run_seconds=0.1, mean_params_bytes=200,
)  # fmt: skip
SITES = st.builds(
    Inputs,
    cores=st.integers(1, 256),
    memory_bytes=st.integers(2**28, 2**42),
    slot_bytes=st.integers(2**20, 2**34),
    arrival_per_second=st.floats(0, 1e6),
    mean_run_seconds=st.just(0.0) | st.floats(1e-6, 1e5),
    mean_params_bytes=st.integers(0, 2**20),
    target_wait_seconds=st.floats(0.01, 1e6),
)


@pytest.mark.parametrize(
    ("changes", "slots", "queue_size"),
    [
        ({}, 13, 7_800),  # 100/s * 0.1 s / 0.8 = 12.5; 13 / 0.1 s * 60 s
        ({"arrival_per_second": 24}, 4, 2_400),  # 3 are wanted: no less than a core's
        ({"arrival_per_second": 40, "mean_run_seconds": 0.06, "cores": 1}, 3, 3_000),  # 2.4 / 0.8
        ({"arrival_per_second": 1e5}, 32, 19_200),  # eight a core
        ({"arrival_per_second": 1e5, "memory_bytes": GIB}, 7, 4_200),  # what fits in, less a parent
        ({"memory_bytes": 2**27}, 1, 1_000),  # there is always one
        ({"mean_run_seconds": 10, "arrival_per_second": 1}, 13, 1_000),  # 78, but the least is 1000
        ({"mean_run_seconds": 1e-4, "arrival_per_second": 1e4}, 4, 1_000_000),  # of 2.4 millions
        ({"target_wait_seconds": 600}, 13, 78_000),
        ({"target_utilisation_ratio": 0.5}, 20, 12_000),
        (
            {"mean_run_seconds": 1e-3, "arrival_per_second": 1, "mean_params_bytes": 1_047_552},
            4,
            4096,  # 240,000 would take more than 4 GiB
        ),
        ({"arrival_per_second": 0}, 4, 10_000),  # a new site
        ({"mean_run_seconds": 0}, 4, 10_000),
    ],
)  # fmt: skip
def test_the_plan_of_a_site(changes: dict[str, Any], slots: int, queue_size: int) -> None:
    found = plan(replace(SITE, **changes))
    assert (found.slots, found.queue_size) == (slots, queue_size)
    assert f"W = {slots}" in found.formula


@given(SITES)
def test_the_same_inputs_give_the_same_plan_within_its_bounds(site: Inputs) -> None:
    found = plan(site)
    assert found == plan(site)
    assert 1 <= found.slots <= max(1, 8 * site.cores)
    assert 1_000 <= found.queue_size <= 1_000_000


@given(SITES, st.floats(1, 100))
def test_more_load_never_wants_fewer_slots(site: Inputs, factor: float) -> None:
    more = replace(site, arrival_per_second=site.arrival_per_second * factor)
    longer = replace(site, mean_run_seconds=site.mean_run_seconds * factor)
    assert plan(more).slots >= plan(site).slots
    assert plan(longer).slots >= plan(site).slots


@given(SITES, st.floats(1, 100))
def test_whoever_may_wait_longer_gets_no_smaller_queue(site: Inputs, factor: float) -> None:
    patient = replace(site, target_wait_seconds=site.target_wait_seconds * factor)
    assert plan(patient).queue_size >= plan(site).queue_size


@given(SITES, st.integers(1, 100))
def test_more_memory_never_means_fewer_slots(site: Inputs, factor: int) -> None:
    assert plan(replace(site, memory_bytes=site.memory_bytes * factor)).slots >= plan(site).slots


def test_the_formula_is_told_with_its_numbers() -> None:
    told = "\n".join(plan(SITE).formula)
    assert "100 jobs/s * 0.1 s = 10 (Little's law, L = λ·W)" in told
    assert "10 / 0.8 utilisation, rounded up = 13" in told
    assert "13 / 0.1 s * 60 s = 7800" in told
    assert "nothing was measured" in plan(replace(SITE, arrival_per_second=0)).formula[0]
