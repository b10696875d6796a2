"""A mail server that refuses whom its tests want refused."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Self

from aiosmtpd.controller import Controller

from jobsite.supervision.site import free_port


class MailServer:
    """Refuses `nobody@` for good and `busy@` for now, takes everything else."""

    def __init__(self) -> None:
        self.port = free_port()
        self.messages: list[EmailMessage] = []
        #: The addresses that are not refused any more.
        self.recovered: set[str] = set()
        self.connections = 0
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)

    def __enter__(self) -> Self:
        self._controller.start()
        # aiosmtpd's own first connection is how it knows that it listens.
        self.connections = 0
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    async def handle_EHLO(
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if address not in self.recovered:
            if address.startswith("nobody@"):
                return "550 5.1.1 no such user, see https://mail.example/?ticket=SECRET"
            if address.startswith("busy@"):
                return "451 4.3.0 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        message["X-Envelope-To"] = ", ".join(envelope.rcpt_tos)
        self.messages.append(message)
        return "250 OK"

    def recipients(self) -> list[str]:
        """Return who got something, in order; someone who got two, twice."""
        return [str(message["X-Envelope-To"]) for message in self.messages]
