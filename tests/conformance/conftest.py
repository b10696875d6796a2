"""The contract shares the fixture that waits for a job with the acceptance tests."""

from tests.acceptance.conftest import final

__all__ = ["final"]
