"""Sets of settings, each for one kind of work."""

from collections.abc import Mapping
from typing import Any, Literal

ProfileName = Literal["throughput", "latency", "constrained", "reliability", "actions"]

PROFILES: Mapping[ProfileName, Mapping[str, Any]] = {
    # More than 10,000 quick jobs a second, with four workers and a Redis of their own.
    "throughput": {
        "batch_size": 500,
        "batch_timeout_seconds": 2,
        "workers": 50,
        "backoff_base_seconds": 0.05,
        "backoff_cap_seconds": 5,
    },
    # A start within 100 ms.
    "latency": {
        "batch_size": 50,
        "batch_timeout_seconds": 1,
        "workers": 20,
        "poll_interval_ms": 500,
    },
    # One small worker.
    "constrained": {
        "batch_size": 10,
        "batch_timeout_seconds": 10,
        "workers": 2,
        "poll_interval_ms": 2000,
    },
    # Work that matters more than time.
    "reliability": {
        "batch_size": 50,
        "batch_timeout_seconds": 5,
        "max_attempts": 11,
        "workers": 5,
        "backoff_base_seconds": 0.2,
        "backoff_cap_seconds": 120,
    },
    # Short reactions to an event, such as a webhook or an email.
    "actions": {
        "batch_size": 100,
        "batch_timeout_seconds": 5,
        "max_attempts": 6,
        "workers": 10,
        "poll_interval_ms": 1000,
        "backoff_base_seconds": 0.1,
        "backoff_cap_seconds": 30,
        "timeout_seconds": 60,
    },
}
