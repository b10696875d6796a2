import pytest

from notifications.channels.email import parse_email_url


@pytest.mark.parametrize(
    ("url", "port", "use_ssl", "use_tls"),
    [
        ("smtp://mail.example", 25, False, False),
        ("smtps://mail.example", 465, True, False),
        ("smtp+tls://mail.example", 587, False, True),
        ("smtp+tls://mail.example:2525", 2525, False, True),
    ],
)
def test_the_scheme_says_how_to_encrypt(url: str, port: int, use_ssl: bool, use_tls: bool) -> None:
    options = parse_email_url(url)
    assert options["host"] == "mail.example"
    assert (options["port"], options["use_ssl"], options["use_tls"]) == (port, use_ssl, use_tls)
    assert (options["username"], options["password"]) == ("", "")


def test_the_user_and_the_password_are_decoded() -> None:
    options = parse_email_url("smtp://ann%40example.com:p%2Fw%3A1@mail.example")
    assert (options["username"], options["password"]) == ("ann@example.com", "p/w:1")


@pytest.mark.parametrize(
    "url",
    ["imap://u:SECRET@a.example", "smtp://", "smtp://u:SECRET@", "smtp://u:SECRET@a:x", "SECRET"],
)
def test_a_bad_url_is_told_without_its_secrets(url: str) -> None:
    with pytest.raises(ValueError, match="set EMAIL_URL to smtp://") as error:
        parse_email_url(url)
    assert "SECRET" not in str(error.value)
