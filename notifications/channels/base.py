"""What a channel is: a way to carry one message to one recipient."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self
from uuid import UUID


class DeliveryError(Exception):
    """A message did not arrive.

    Attributes:
        permanent: whether trying again cannot help.
        retry_after: how long the other side asked us to wait; None if it did not say.
        affects_all: whether every other recipient of this channel would meet the same (a server
            that is down, a wrong token), so that trying them now is pointless.
        gone: whether the address itself said that it wants no more messages, now or later.
        answer: the other side's code, if it gave one.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool,
        retry_after: timedelta | None = None,
        affects_all: bool = False,
        gone: bool = False,
        answer: str = "",
    ) -> None:
        self.permanent = permanent
        self.retry_after = retry_after
        self.affects_all = affects_all
        self.gone = gone
        self.answer = answer
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """What is to be told, before any channel has put it into its own form.

    Attributes:
        template: the name of a folder in `templates/notifications/`.
        subject: replaces the template's own subject if it is not empty.
        data: what the template shows; JSON.
        timestamp: when the notification was first due, the same in every attempt.
    """

    template: str
    subject: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    timestamp: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A notification in a channel's own form, the same for each recipient.

    Attributes:
        subject: one line, without control characters.
        text: the plain form.
        html: the rich form, if there is one.
        payload: the structured form, if there is one; JSON.
    """

    subject: str = ""
    text: str = ""
    html: str = ""
    payload: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Content on its way to one recipient.

    Attributes:
        id: the delivery's id, the same in every attempt: what the receiver tells a repeat by.
        headers: extra headers, for channels that take them.
    """

    id: UUID
    recipient: str
    content: Content
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The other side took the message.

    Attributes:
        answer: what it said: an SMTP code, an HTTP status, a Slack timestamp.
    """

    answer: str


class Channel(ABC):
    """One way to reach people; made anew for each job and used in a `with` statement.

    A subclass is declared with `@channel(name)`. It may keep a connection between sends and must
    let go of it in `close`.
    """

    #: Set by `@channel`.
    name: ClassVar[str] = ""

    @classmethod
    @abstractmethod
    def check_recipient(cls, recipient: str) -> str:
        """Return the address in its normal form, without any input or output.

        Raises:
            ValueError: it cannot be an address of this channel.
        """

    @classmethod
    def check_headers(cls, headers: Mapping[str, str]) -> None:
        """Check extra headers; by default a channel takes none.

        Raises:
            ValueError: one of them cannot be sent.
        """
        if headers:
            raise ValueError(f"channel {cls.name!r} takes no headers; leave `headers` out")

    @abstractmethod
    def compose(self, notification: Notification) -> Content:
        """Put a notification into this channel's form, once for all its recipients.

        Raises:
            PermanentError: the template is unknown, broken, or lacks what this channel needs.
        """

    @abstractmethod
    def send(self, message: Message) -> Receipt:
        """Carry one message; returns only once the other side has taken it.

        Raises:
            DeliveryError: it did not arrive. The message holds no secret.
        """

    def close(self) -> None:  # noqa: B027 - most channels keep nothing open
        """Let go of what `send` kept open. Never raises."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
