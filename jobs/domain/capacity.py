"""How many slots and how long a queue a site needs, by Little's law.

L = λ·W: the jobs that run at a time are those that arrive a second, times the seconds that each
runs. J. D. C. Little, "A Proof for the Queuing Formula: L = λW", Operations Research 9 (3), 1961,
383-387.
"""

import math
from dataclasses import dataclass
from typing import Final

#: Of the machine's memory, for workers; the rest is for the system, and what runs beside them.
MEMORY_RATIO: Final = 0.8
#: Slots that a core may have: jobs wait for the network and the database more than they compute.
SLOTS_PER_CORE: Final = 8
NEW_SITE_QUEUE_SIZE: Final = 10_000
LEAST_QUEUE_SIZE: Final = 1_000
LARGEST_QUEUE_SIZE: Final = 1_000_000
#: What the jobs that wait in a queue may take in the database, with `ROW_BYTES` for each, besides
#: its parameters.
WAITING_BYTES: Final = 4 * 2**30
ROW_BYTES: Final = 1024


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a plan is made from.

    Attributes:
        cores: that this process may use.
        memory_bytes: of the machine, or of what this process is confined to.
        slot_bytes: resident memory of one slot.
        arrival_per_second: jobs that arrive; 0 if that is not known.
        mean_run_seconds: how long a job runs; 0 if that is not known.
        mean_params_bytes: of a job's parameters.
        target_utilisation_ratio: the share of its time that a slot should be busy.
        target_wait_seconds: how long a job should wait at most.
    """

    cores: int
    memory_bytes: int
    slot_bytes: int
    arrival_per_second: float = 0
    mean_run_seconds: float = 0
    mean_params_bytes: int = 0
    target_utilisation_ratio: float = 0.8
    target_wait_seconds: float = 60

    @property
    def busy_slots(self) -> float:
        """How many slots are busy on average: L = λ·W."""
        return self.arrival_per_second * self.mean_run_seconds


@dataclass(frozen=True, slots=True)
class Plan:
    """What suits the inputs.

    Attributes:
        slots: processes that run jobs.
        queue_size: ready jobs that a queue may hold.
        formula: how they came about, a line each.
    """

    slots: int
    queue_size: int
    formula: tuple[str, ...]


def plan(inputs: Inputs) -> Plan:
    """Return the plan for the inputs: the same for the same.

    Slots W: what arrives * how long it runs / the target utilisation; at least one for each core,
    at most eight for each core, and no more than fit into four fifths of the memory with the
    worker's parent. Queue size Q: what W slots finish within the target wait; at most what 4 GiB of
    the database hold, from 1,000 to 1,000,000. With nothing measured W is the number of cores and Q
    10,000.
    """
    fit = int(MEMORY_RATIO * inputs.memory_bytes / inputs.slot_bytes) - 1
    most = max(1, min(fit, SLOTS_PER_CORE * inputs.cores))
    bounds = (
        f"W is from {inputs.cores} (cores) to {most}: {SLOTS_PER_CORE} * {inputs.cores} cores, and "
        f"{MEMORY_RATIO:g} * {_size(inputs.memory_bytes)} of memory / {_size(inputs.slot_bytes)} a "
        f"slot - 1 = {fit}"
    )
    if not inputs.busy_slots:
        slots = min(inputs.cores, most)
        nothing = f"nothing was measured: W = {inputs.cores} cores, Q = {NEW_SITE_QUEUE_SIZE}"
        return Plan(slots, NEW_SITE_QUEUE_SIZE, (nothing, bounds, f"W = {slots}"))
    # Rounded first: 2.4 / 0.8 is a hair above 3 in floating point.
    wanted = math.ceil(round(inputs.busy_slots / inputs.target_utilisation_ratio, 9))
    slots = min(max(wanted, inputs.cores), most)
    finished = int(slots / inputs.mean_run_seconds * inputs.target_wait_seconds)
    stored = WAITING_BYTES // (ROW_BYTES + inputs.mean_params_bytes)
    size = min(max(min(finished, stored), LEAST_QUEUE_SIZE), LARGEST_QUEUE_SIZE)
    return Plan(
        slots,
        size,
        (
            f"busy slots = {inputs.arrival_per_second:g} jobs/s * {inputs.mean_run_seconds:g} s = "
            f"{inputs.busy_slots:.4g} (Little's law, L = λ·W)",
            f"wanted slots = {inputs.busy_slots:.4g} / {inputs.target_utilisation_ratio:g} "
            f"utilisation, rounded up = {wanted}",
            bounds,
            f"W = {slots}",
            f"finished within the target wait = {slots} / {inputs.mean_run_seconds:g} s * "
            f"{inputs.target_wait_seconds:g} s = {finished}",
            f"Q is from {LEAST_QUEUE_SIZE} to {LARGEST_QUEUE_SIZE}, and at most "
            f"{_size(WAITING_BYTES)} / ({ROW_BYTES} + {inputs.mean_params_bytes} bytes a job) = "
            f"{stored}",
            f"Q = {size}",
        ),
    )


def _size(count: int) -> str:
    return f"{count / 2**20:.0f} MiB" if count < 2**30 else f"{count / 2**30:.1f} GiB"
