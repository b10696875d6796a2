"""The parameters of a digest, checked."""

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from jobs.contrib.digests.period import Period
from jobs.contrib.digests.repositories import parse_repository


class DigestParams(BaseModel):
    """What the digest is about."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    repository: Annotated[str, Field(min_length=1, max_length=500)]
    """A folder, a file:// URL, `owner/name` or `github:owner/name`."""
    start: AwareDatetime | None = None
    """The period's first moment, in whole seconds; empty for `period`."""
    end: AwareDatetime | None = None
    """The first moment after the period; empty for the moment when the job runs."""
    period: Period = "week"
    """How far the digest looks back from `end`; not used when `start` is given."""
    notify: bool = True
    """Whether the repository's subscribers are told."""
    title: Annotated[str, Field(max_length=200)] = ""
    """Empty for one made of the repository and the period."""
    timezone: str = "UTC"
    """Whose days and months are meant, and in which times are shown."""

    @field_validator("repository")
    @classmethod
    def _means_a_repository(cls, value: str) -> str:
        parse_repository(value)
        return value

    @field_validator("start", "end")
    @classmethod
    def _whole_seconds(cls, value: datetime | None) -> datetime | None:
        # Git keeps whole seconds; so does every moment that is compared with it.
        return value and value.replace(microsecond=0)

    @field_validator("end")
    @classmethod
    def _after_start(cls, value: datetime | None, info: ValidationInfo) -> datetime | None:
        start = info.data.get("start")
        if value and start and value <= start:
            raise ValueError(
                f"the period must end after it starts: {value.isoformat()} is not after "
                f"{start.isoformat()}"
            )
        return value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError(
                f"{value!r} is no time zone; give an IANA name such as Europe/Berlin"
            ) from None
        return value


class UnsubscribeParams(BaseModel):
    """The address that wants no more digests.

    Attributes:
        channel: the channel of its subscriptions.
        recipient: the address, exactly as subscribed.
        reason: what people are told about it.
    """

    model_config = ConfigDict(extra="forbid")

    channel: str
    recipient: str
    reason: Annotated[str, Field(max_length=300)] = ""
