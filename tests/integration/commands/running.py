"""Run `manage.py jobs` in this process."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jobs.management.exit_codes import ExitCode

DONE, FAILED, USAGE, NOT_FOUND, CONFLICT, TIMED_OUT = list(ExitCode)[:6]


@dataclass
class Ran:
    """What a command did."""

    code: int
    out: str
    error: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ran]
