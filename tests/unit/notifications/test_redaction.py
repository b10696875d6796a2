import pytest

from notifications.redaction import LONGEST_ERROR, redact, short_error


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://a.example/x", "https://a.example/x"),
        ("https://a.example:8443/x?k=SECRET#SECRET", "https://a.example:8443/x?…"),
        ("https://u:SECRET@a.example/x", "https://a.example/x"),
        ("https://u:SEC@RET@a.example", "https://a.example"),
        ("see 'https://a.example?SECRET' or redis://:SECRET@b:1", "see 'https://a.example?…' or "
         "redis://b:1"),
        ("ann@example.com", "ann@example.com"),
        ("no address?", "no address?"),
    ],
)  # fmt: skip
def test_urls_lose_what_may_be_secret(text: str, shown: str) -> None:
    assert redact(text) == shown


def test_an_error_is_one_short_line() -> None:
    assert short_error("550 a\r\n550-b\x1b[31m\tc") == "550 a 550-b [31m c"
    assert len(short_error("x" * 1000)) == LONGEST_ERROR
