"""What follows from a change, once it has committed."""

from collections.abc import Callable

from django.db import transaction

from jobs.services.doorbell import backend


def after_commit(act: Callable[[], object]) -> None:
    """Act once the transaction, if there is one, has committed; at once without a broker.

    Best effort: the timekeeper makes up for what was to follow and did not.
    """
    if backend().waits_for_commit:
        transaction.on_commit(act, robust=True)
    else:
        act()
