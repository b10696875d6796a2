"""Whether the mail server answers."""

import smtplib
import ssl
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail.utils import DNS_NAME

from maintenance.conf import maintenance_settings
from maintenance.outcomes import Skipped, Unhealthy
from maintenance.registry import health_check

_TO_FILES = "django.core.mail.backends.filebased.EmailBackend"
#: The usual port of each scheme of EMAIL_URL.
_PORTS = {"smtp": 25, "smtps": 465, "smtp+tls": 587}


@health_check("smtp")
def check_smtp() -> str:
    """Greet it, as far as TLS if EMAIL_URL asks for that, without logging in."""
    if not settings.EMAIL_URL:
        raise Skipped(f"not configured: EMAIL_URL is empty{_instead()}")
    scheme, host, port = _address(settings.EMAIL_URL)
    try:
        with _connect(scheme, host, port) as server:
            if scheme == "smtp+tls":
                server.starttls(context=ssl.create_default_context())
            code, _ = server.noop()
    except (smtplib.SMTPException, OSError) as error:
        raise Unhealthy(
            f"the mail server {host}:{port} cannot be used ({type(error).__name__})"
        ) from None
    if code != 250:
        raise Unhealthy(f"the mail server {host}:{port} answered {code}")
    return f"the mail server {host}:{port} answers"


def _instead() -> str:
    to_files = settings.EMAIL_BACKEND == _TO_FILES
    return f"; emails are written to {settings.EMAIL_FILE_PATH}" if to_files else ""


def _connect(scheme: str, host: str, port: int) -> smtplib.SMTP:
    # Named, since smtplib would look this host's own name up in the DNS each time.
    name, timeout = DNS_NAME.get_fqdn(), maintenance_settings().check_timeout_seconds
    if scheme == "smtps":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(host, port, name, timeout=timeout, context=context)
    return smtplib.SMTP(host, port, name, timeout=timeout)


def _address(url: str) -> tuple[str, str, int]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.scheme not in _PORTS:
        raise Unhealthy(
            "EMAIL_URL cannot be read; set it to smtp://, smtps:// or "
            "smtp+tls://[user:password@]host[:port]"
        )
    return parts.scheme, host, port or _PORTS[parts.scheme]
