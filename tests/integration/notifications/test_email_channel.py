import pytest
from django.core import mail
from pytest_django import Settings

from jobsite.supervision.site import free_port
from notifications.channels.base import DeliveryError
from notifications.channels.email import EmailChannel
from tests.integration.notifications.conftest import message_to
from tests.servers.mail import MailServer


def test_a_message_arrives_as_text_and_html_under_a_stable_id(mail_server: MailServer) -> None:
    message = message_to("ann@example.com", subject="Grüße", text="Hällo", html="<p>Hällo</p>")
    with EmailChannel() as channel:
        assert channel.send(message).answer == "250"
        channel.send(message)

    first, second = mail_server.messages
    assert first["To"] == "ann@example.com"
    assert first["From"] == "Jobsite <jobs@example.org>"
    assert first["Subject"] == "Grüße"
    assert first["Auto-Submitted"] == "auto-generated"
    assert first["Message-ID"] == second["Message-ID"] == f"<{message.id}@example.org>"
    text, html = first.get_body(("plain",)), first.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().strip() == "Hällo"
    assert html.get_content().strip() == "<p>Hällo</p>"


def test_one_refused_recipient_does_not_harm_the_others(mail_server: MailServer) -> None:
    with EmailChannel() as channel:
        channel.send(message_to("ann@example.com"))
        with pytest.raises(DeliveryError) as refused:
            channel.send(message_to("nobody@example.com"))
        channel.send(message_to("ben@example.com"))

    assert refused.value.permanent
    assert not refused.value.affects_all
    assert refused.value.answer == "550"
    assert "550 5.1.1 no such user" in str(refused.value)
    assert "SECRET" not in str(refused.value)
    assert mail_server.recipients() == ["ann@example.com", "ben@example.com"]


def test_a_domain_in_any_script_is_reached(mail_server: MailServer) -> None:
    with EmailChannel() as channel:
        channel.send(message_to(EmailChannel.check_recipient("ann@ex\u00e4mple.org")))
    assert mail_server.recipients() == ["ann@xn--exmple-cua.org"]


def test_many_recipients_share_one_connection(mail_server: MailServer) -> None:
    with EmailChannel() as channel:
        for number in range(5):
            channel.send(message_to(f"{number}@example.com"))
    assert mail_server.connections == 1


def test_a_451_is_transient(mail_server: MailServer) -> None:
    with EmailChannel() as channel, pytest.raises(DeliveryError) as refused:
        channel.send(message_to("busy@example.com"))
    assert not refused.value.permanent
    assert refused.value.answer == "451"


def test_a_server_that_is_down_is_transient_for_everyone(settings: Settings) -> None:
    settings.EMAIL_URL = f"smtp://ann:SECRET@127.0.0.1:{free_port()}"
    with EmailChannel() as channel, pytest.raises(DeliveryError) as refused:
        channel.send(message_to("ann@example.com"))
    assert not refused.value.permanent
    assert refused.value.affects_all
    assert "SECRET" not in str(refused.value)


def test_a_server_without_tls_is_not_spoken_to_in_clear(
    mail_server: MailServer, settings: Settings
) -> None:
    settings.EMAIL_URL = f"smtp+tls://ann:SECRET@127.0.0.1:{mail_server.port}"
    with EmailChannel() as channel, pytest.raises(DeliveryError) as refused:
        channel.send(message_to("ann@example.com"))
    assert refused.value.permanent
    assert refused.value.affects_all
    assert mail_server.messages == []


def test_an_email_url_that_cannot_be_used_is_permanent(settings: Settings) -> None:
    settings.EMAIL_URL = "imap://ann:SECRET@mail.example"
    with EmailChannel() as channel, pytest.raises(DeliveryError, match="EMAIL_URL") as refused:
        channel.send(message_to("ann@example.com"))
    assert refused.value.permanent
    assert "SECRET" not in str(refused.value)


def test_a_header_with_a_line_break_is_refused(mail_server: MailServer) -> None:
    injected = message_to("ann@example.com", subject="Hi\r\nBcc: all@example.com")
    with EmailChannel() as channel, pytest.raises(DeliveryError) as refused:
        channel.send(injected)
    assert refused.value.permanent
    assert mail_server.messages == []


def test_without_an_email_url_django_s_own_backend_takes_it(settings: Settings) -> None:
    settings.EMAIL_URL = ""
    with EmailChannel() as channel:
        channel.send(message_to("ann@example.com"))
    assert [message.to for message in mail.outbox] == [["ann@example.com"]]
