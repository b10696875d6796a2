"""What the database raises while it cannot be used, and may be able to again in a moment."""

from typing import Final

from django.db import InterfaceError, InternalError, OperationalError

#: It is away or full (`OperationalError`), its connection is gone (`InterfaceError`), or it can
#: only be read (on PostgreSQL an `InternalError`).
OUTAGES: Final = (OperationalError, InterfaceError, InternalError)
