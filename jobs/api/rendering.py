"""Writing answers: JSON, with moments to the microsecond, as they are stored."""

from typing import Any

from django.http import HttpRequest
from ninja.renderers import BaseRenderer
from pydantic_core import to_json


class ExactJson(BaseRenderer):
    """Django's own encoder would cut moments to the millisecond."""

    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:
        """Return the data as JSON."""
        return to_json(data)
