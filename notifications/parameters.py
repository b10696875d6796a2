"""The parameters of `notifications.send`, checked without any input or output."""

import json
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    ValidationInfo,
    field_validator,
)

from notifications.channels.registry import find_channel
from notifications.rendering import TEMPLATE_NAME

MAX_RECIPIENTS = 1000
MAX_DATA_BYTES = 256 * 1024


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class SendParams(BaseModel):
    """One notification, its channel and its recipients."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    template: str = Field(pattern=rf"^{TEMPLATE_NAME}$", max_length=60)
    """The name of a folder in `templates/notifications/`."""
    # Before `to` and `headers`, whose checks need it.
    channel: str = Field(default="email", max_length=40)
    """`email`, `slack`, `webhook`, or another one that is installed."""
    to: Annotated[list[str], BeforeValidator(_as_list, json_schema_input_type=str | list[str])] = (
        Field(min_length=1, max_length=MAX_RECIPIENTS)
    )
    """One address or several; one that comes twice is taken once."""
    subject: str | None = Field(default=None, max_length=200)
    """Replaces the template's own."""
    data: dict[str, JsonValue] = Field(default_factory=dict)
    """What the template shows."""
    headers: dict[str, str] = Field(default_factory=dict, max_length=20)
    """Extra HTTP headers, for webhooks only."""
    when_gone: str | None = Field(default=None, max_length=100)
    """The job type to submit for a recipient who wants no more messages.

    Its parameters are `channel`, `recipient` and `reason`.
    """

    @field_validator("channel")
    @classmethod
    def _known(cls, name: str) -> str:
        return find_channel(name).name

    @field_validator("to")
    @classmethod
    def _addresses(cls, recipients: list[str], info: ValidationInfo) -> list[str]:
        # The channel is missing here if it was wrong itself, which is reported by its own field.
        if "channel" not in info.data:
            return recipients
        check = find_channel(info.data["channel"]).check_recipient
        return list(dict.fromkeys(check(recipient.strip()) for recipient in recipients))

    @field_validator("data")
    @classmethod
    def _storable(cls, data: dict[str, JsonValue]) -> dict[str, JsonValue]:
        try:
            size = len(json.dumps(data, ensure_ascii=False, allow_nan=False).encode())
        except UnicodeEncodeError:
            raise ValueError("holds half of a surrogate pair, which is not text") from None
        if size > MAX_DATA_BYTES:
            raise ValueError(f"has {size} bytes as JSON; at most {MAX_DATA_BYTES} can be sent")
        return data

    @field_validator("headers")
    @classmethod
    def _sendable(cls, headers: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        if "channel" in info.data:
            find_channel(info.data["channel"]).check_headers(headers)
        return headers
