from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from jobs import PermanentError
from notifications.channels.base import Content, Notification
from notifications.channels.registry import find_channel
from notifications.rendering import Rendering, known_templates

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
HOSTILE = "<script>alert('x')</script> & \"q\""
DIGEST = {
    "repository": "acme/site",
    "period": {"start": "2026-02-26T00:00:00+00:00", "end": "2026-03-05T00:00:00+00:00"},
    "title": "Weekly digest of acme/site",
    "highlights": ["Start is twice as fast", HOSTILE],
    "counts": {"merged_pull_requests": 12},
    "markdown": "## Features\n\n* one",
    "html": "<h2>Features</h2><p onclick='x()'>one <a href='https://e.org/1'>two</a>"
    "<a href='javascript:x()'>three</a><img src='https://e.org/pixel'><script>x()</script></p>",
    "url": "https://e.org/digests/1?a=1&b=2",
}


def composed(channel: str, template: str, data: dict[str, Any], subject: str = "") -> Content:
    with find_channel(channel)() as opened:
        return opened.compose(
            Notification(template=template, data=data, subject=subject, timestamp=NOW)
        )


@pytest.fixture
def write(tmp_path: Path, settings: Settings) -> Callable[[str, str], None]:
    """Return a function that writes a part of the template `own`."""
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]

    def write(name: str, text: str) -> None:
        path = tmp_path / "notifications" / "own" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return write


def test_the_templates_that_come_with_it() -> None:
    assert known_templates() == ["digest", "job_failed", "message", "welcome"]


def test_an_unknown_template_is_permanent_and_names_the_known() -> None:
    with pytest.raises(PermanentError, match=r"'wellcome' is unknown; use one of: digest, job_f"):
        composed("email", "wellcome", {})


def test_the_digest_as_an_email() -> None:
    content = composed("email", "digest", DIGEST)
    assert content.subject == "Weekly digest of acme/site"
    assert "<h2>Features</h2>" in content.html
    assert 'href="https://e.org/digests/1?a=1&amp;b=2"' in content.html
    assert '<meta name="viewport"' in content.html
    assert "## Features" in content.text
    assert "https://e.org/digests/1?a=1&b=2" in content.text


def test_a_digest_says_nothing_twice() -> None:
    html = composed("email", "digest", DIGEST).html
    # The digest's own HTML has them; beside it there is the line that mail programs preview.
    assert html.count("Start is twice as fast") == 1
    assert "Merged pull requests" not in html


def test_a_digest_without_html_shows_its_highlights_and_figures() -> None:
    content = composed("email", "digest", {**DIGEST, "html": "", "markdown": ""})
    for text in (content.html, content.text):
        assert "26 Feb 2026 \u2013 5 Mar 2026" in text
        assert "Start is twice as fast" in text
        assert "erged pull requests" in text


def test_a_digest_s_html_is_cleaned_again() -> None:
    html = composed("email", "digest", DIGEST).html
    assert '<p>one <a href="https://e.org/1" rel="noopener noreferrer">two</a>' in html
    for left_over in ("onclick", "javascript:", "<img", "<script", "x()"):
        assert left_over not in html


def test_html_is_escaped_and_text_is_not() -> None:
    content = composed("email", "message", {"title": HOSTILE, "body": HOSTILE})
    assert "<script" not in content.html
    assert "&lt;script&gt;" in content.html
    assert HOSTILE in content.text
    assert content.subject == HOSTILE


def test_only_web_addresses_become_links() -> None:
    for url in ("javascript:alert(1)", "data:text/html,x", "//e.org", 'https://e.org/"><b>', 77):
        content = composed("email", "welcome", {"name": "Ann", "verificationUrl": url})
        assert "Confirm my address" not in content.html
        assert str(url) not in content.text


def test_the_digest_in_slack() -> None:
    text = composed("slack", "digest", DIGEST).text
    assert "*<https://e.org/digests/1?a=1&amp;b=2|Weekly digest of acme/site>*" in text
    assert "• Start is twice as fast" in text
    assert "• &lt;script&gt;alert('x')&lt;/script&gt; &amp; \"q\"" in text
    assert "merged pull requests *12*" in text


def test_a_slack_link_cannot_be_broken_out_of() -> None:
    text = composed("slack", "digest", {"title": "a|b>\n<!here>", "url": "https://e.org/1"}).text
    assert text == "*<https://e.org/1|a/b&gt; &lt;!here&gt;>*"


@pytest.mark.parametrize("channel", ["email", "slack", "webhook"])
@pytest.mark.parametrize("template", ["digest", "job_failed", "message", "welcome"])
def test_every_template_makes_do_without_data(template: str, channel: str) -> None:
    content = composed(channel, template, {})
    assert content.text or content.payload
    assert content.subject


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("Hi\r\nBcc: x@example.com", "Hi Bcc: x@example.com"),
        ("a\x00\x1b[31mb\x85c\u2028d", "a[31mb c d"),
        ("x" * 300, "x" * 199 + "…"),
    ],
)
def test_a_subject_is_one_clean_line(given: str, shown: str) -> None:
    assert composed("email", "message", {"title": given}).subject == shown


def test_a_webhook_without_a_part_of_its_own_carries_the_data() -> None:
    assert composed("webhook", "message", {"body": "b"}).payload == {
        "type": "message",
        "timestamp": "2026-03-05T12:00:00+00:00",
        "data": {"body": "b"},
    }


def test_data_cannot_change_the_structure_of_a_json_part() -> None:
    error = '", "admin": true, "x": "'
    payload = composed("webhook", "job_failed", {"job_id": "7", "error": error}).payload
    assert payload["type"] == "job.failed"
    assert payload["data"] == {"job_id": "7", "job_type": None, "error": error, "url": None}


def test_a_string_of_one_variable_keeps_its_type(write: Callable[[str, str], None]) -> None:
    write("webhook.json", '{"n": "{{ data.n }}", "text": "n={{ data.n }}", "all": ["{{ data }}"]}')
    payload = composed("webhook", "own", {"n": 7}).payload
    assert payload == {"n": 7, "text": "n=7", "all": [{"n": 7}]}


def test_data_is_never_run_as_a_template(write: Callable[[str, str], None]) -> None:
    write("body.txt", "{{ data.x }}")
    write("webhook.json", '["{{ data.x }}", "({{ data.x }})"]')
    data = {"x": "{% load static %}{{ site_url }}"}
    assert composed("email", "own", data).text == data["x"]
    assert composed("webhook", "own", data).payload == [data["x"], f"({data['x']})"]


def test_slack_falls_back_to_the_text(write: Callable[[str, str], None]) -> None:
    write("body.txt", "Hello {{ data.name }}")
    assert composed("slack", "own", {"name": "<A>"}).text == "Hello &lt;A&gt;"


def test_a_part_that_is_needed_and_missing_is_named(write: Callable[[str, str], None]) -> None:
    write("subject.txt", "Hi")
    with pytest.raises(PermanentError, match=r"add templates/notifications/own/body.txt"):
        composed("email", "own", {})


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("body.txt", "{% nonsense %}"),
        ("body.txt", "{% include 'no/such/file.txt' %}"),
        ("body.txt", "{{ data.a|default:data.MISSING }}"),
        ("slack.json", "{not json"),
        ("slack.json", '["{% nonsense %}"]'),
    ],
)
def test_a_broken_template_is_permanent_and_named(
    write: Callable[[str, str], None], part: str, text: str
) -> None:
    write("body.txt", "fine")
    write(part, text)
    with pytest.raises(PermanentError, match=f"notifications/own/{part}") as error:
        composed("slack", "own", {"b": "CANARY"})
    assert "CANARY" not in str(error.value)


def test_folders_of_shared_parts_are_no_templates() -> None:
    with pytest.raises(PermanentError):
        Rendering(Notification(template="_layout", timestamp=NOW))
