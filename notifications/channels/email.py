"""Email through Django's mail: to the SMTP server of EMAIL_URL, or to Django's EMAIL_BACKEND."""

import smtplib
from email.utils import parseaddr
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.validators import validate_email

from notifications.channels.base import (
    Channel,
    Content,
    DeliveryError,
    Message,
    Notification,
    Receipt,
)
from notifications.channels.registry import channel
from notifications.redaction import short_error
from notifications.rendering import Rendering

TIMEOUT_SECONDS = 10
_LONGEST_ADDRESS = 254
#: The reply of a server that hangs up (RFC 5321, section 3.8).
_CLOSING = "421"
_SMTP_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
#: Scheme of EMAIL_URL: (usual port, TLS from the start, TLS by STARTTLS).
_SCHEMES = {
    "smtp": (25, False, False),
    "smtps": (465, True, False),
    "smtp+tls": (587, False, True),
}


def parse_email_url(url: str) -> dict[str, Any]:
    """Return the arguments for Django's SMTP backend.

    Raises:
        ValueError: the URL cannot be used; the message shows no part of it but its scheme.
    """
    remedy = "set EMAIL_URL to smtp://, smtps:// or smtp+tls://[user:password@]host[:port]"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(f"EMAIL_URL cannot be read; {remedy}") from None
    if parts.scheme not in _SCHEMES:
        raise ValueError(f"EMAIL_URL has the scheme {parts.scheme!r}; {remedy}")
    if not host:
        raise ValueError(f"EMAIL_URL names no host; {remedy}")
    usual_port, use_ssl, use_tls = _SCHEMES[parts.scheme]
    return {
        "host": host,
        "port": port or usual_port,
        "username": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "use_ssl": use_ssl,
        "use_tls": use_tls,
    }


@channel("email")
class EmailChannel(Channel):
    """Sends each recipient a message of their own, over one connection."""

    def __init__(self) -> None:
        self._connection: Any = None

    @classmethod
    def check_recipient(cls, recipient: str) -> str:
        """Return the address with its domain in lower case."""
        try:
            validate_email(recipient)
        except ValidationError:
            raise ValueError(f"{recipient!r} is not an email address such as a@b.org") from None
        if len(recipient) > _LONGEST_ADDRESS:
            raise ValueError(f"{recipient!r} has more than {_LONGEST_ADDRESS} characters")
        local, _, domain = recipient.rpartition("@")
        return f"{local}@{domain.lower()}"

    def compose(self, notification: Notification) -> Content:
        """Render subject.txt, body.txt and, if there is one, body.html."""
        rendering = Rendering(notification)
        return Content(
            subject=rendering.subject,
            text=rendering.required("body.txt"),
            html=rendering.part("body.html", autoescape=True) or "",
        )

    def send(self, message: Message) -> Receipt:
        """Hand the message to the server."""
        connection = self._open()
        try:
            sent = connection.send_messages([self._email(message)])
        except (smtplib.SMTPException, OSError) as error:
            refusal = _refusal(error)
            if refusal.answer in {"", _CLOSING}:
                self.close()
            raise refusal from None
        except ValueError as error:
            # Django's own checks of headers and addresses.
            raise DeliveryError(short_error(str(error)), permanent=True) from None
        if not sent:
            raise DeliveryError("the mail backend did not take the message", permanent=False)
        return Receipt("250" if settings.EMAIL_URL else "accepted")

    def close(self) -> None:
        """Close the connection, whatever state it is in."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.close()
        except (smtplib.SMTPException, OSError):
            return

    def _open(self) -> Any:
        if self._connection is not None:
            return self._connection
        try:
            self._connection = _new_connection()
            self._connection.open()
        except (smtplib.SMTPException, OSError) as error:
            # Django keeps a connection that failed half-way, in case it is opened again.
            self.close()
            refusal = _refusal(error)
            refusal.affects_all = True
            raise refusal from None
        except ValueError as error:
            raise DeliveryError(str(error), permanent=True, affects_all=True) from None
        return self._connection

    def _email(self, message: Message) -> EmailMultiAlternatives:
        content = message.content
        domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
        email = EmailMultiAlternatives(
            subject=content.subject,
            body=content.text,
            to=[message.recipient],
            headers={
                "Message-ID": f"<{message.id}@{domain}>",
                # RFC 3834: out-of-office programs answer no automatic message.
                "Auto-Submitted": "auto-generated",
            },
        )
        if content.html:
            email.attach_alternative(content.html, "text/html")
        return email


def _new_connection() -> Any:
    if not settings.EMAIL_URL:
        return get_connection(timeout=TIMEOUT_SECONDS)
    options = parse_email_url(settings.EMAIL_URL)
    return get_connection(_SMTP_BACKEND, timeout=TIMEOUT_SECONDS, **options)


def _refusal(error: smtplib.SMTPException | OSError) -> DeliveryError:
    """Return what a failure of the SMTP dialogue means (RFC 5321, section 4.2.1)."""
    code: int
    reply: bytes | str
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, reply = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, reply = error.smtp_code, error.smtp_error
    elif isinstance(error, smtplib.SMTPNotSupportedError):
        return DeliveryError(f"the mail server cannot do it: {error}", permanent=True)
    else:
        return DeliveryError(
            short_error(f"the mail server cannot be reached: {error or type(error).__name__}"),
            permanent=False,
        )
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else str(reply)
    return DeliveryError(
        short_error(f"the mail server answered {code} {text}"),
        permanent=500 <= code < 600,
        answer=str(code),
    )
