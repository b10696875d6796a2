from typing import Any

import pytest
from pydantic import ValidationError

from jobs import Priority
from jobs.domain.errors import InvalidParameters
from notifications.jobs import send
from notifications.parameters import MAX_DATA_BYTES, SendParams


def made(**params: Any) -> SendParams:
    return SendParams.model_validate({"template": "message", "to": "ann@example.com", **params})


def refused(**params: Any) -> str:
    with pytest.raises(ValidationError) as error:
        made(**params)
    return str(error.value)


def test_the_least_that_is_needed_is_an_email() -> None:
    params = made()
    assert (params.channel, params.to, params.subject) == ("email", ["ann@example.com"], None)
    assert (params.data, params.headers) == ({}, {})


def test_what_was_checked_passes_the_check_again() -> None:
    params = made(to=["Ann@EXAMPLE.com"], data={"a": [1, 2.5, None, {"b": "ü"}]})
    assert SendParams.model_validate(params.model_dump(mode="json")) == params


def test_one_address_that_comes_twice_is_taken_once() -> None:
    params = made(to=["ann@example.com", "ben@example.com", " ann@EXAMPLE.com "])
    assert params.to == ["ann@example.com", "ben@example.com"]


def test_at_most_a_thousand_recipients() -> None:
    everyone = [f"{number}@example.com" for number in range(1001)]
    assert len(made(to=everyone[:1000]).to) == 1000
    assert "1000" in refused(to=everyone)
    assert "to" in refused(to=[])


@pytest.mark.parametrize(
    "address",
    ["", "ann", "ann@", "@example.com", "a b@example.com", "a@b\r\nBcc: c@d.e", "Ann <a@b.org>",
     f"{'a' * 64}@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}.org"],
)  # fmt: skip
def test_what_is_no_email_address_is_refused(address: str) -> None:
    assert "to" in refused(to=["ann@example.com", address])


@pytest.mark.parametrize("address", ["#general", "general", "C024BE91L", "U012AB3CD", "#a-b_c"])
def test_slack_takes_ids_and_names(address: str) -> None:
    assert made(channel="slack", to=address).to == [address]


@pytest.mark.parametrize("address", ["", "#", "<!channel>", "a b", "ann@example.com", "#a\n"])
def test_what_is_no_slack_channel_is_refused(address: str) -> None:
    # White space around an address does not count, so the last of them is fine.
    if address == "#a\n":
        assert made(channel="slack", to=address).to == ["#a"]
    else:
        assert "Slack" in refused(channel="slack", to=address)


@pytest.mark.parametrize("url", ["http://a.example", "https://u:p@a.example:8443/x?y=1"])
def test_webhooks_take_web_addresses(url: str) -> None:
    assert made(channel="webhook", to=url).to == [url]


@pytest.mark.parametrize(
    "url",
    ["", "a.example", "ftp://a.example", "file:///etc/passwd", "http://", "https:///x",
     "http://a.example:99999", "http://a b.example", "http://a.example/ü", "http://[::1", "http://xn--/",
     "javascript:alert(1)", "http://a.example/" + "x" * 1000],
)  # fmt: skip
def test_what_is_no_web_address_is_refused(url: str) -> None:
    assert "to" in refused(channel="webhook", to=url)


def test_a_refused_web_address_keeps_its_secrets() -> None:
    problems = [("", "")]
    with pytest.raises(InvalidParameters) as error:
        send.parse(
            {"template": "message", "channel": "webhook", "to": "ftp://u:SECRET@a.example?k=SECRET"}
        )
    problems = list(error.value.problems)
    assert [path for path, _ in problems] == ["to"]
    assert "SECRET" not in str(error.value)


def test_an_unknown_channel_names_the_known_ones() -> None:
    with pytest.raises(InvalidParameters, match=r"channel: .*'fax' is unknown.*email, slack, webh"):
        send.parse({"template": "message", "to": "x", "channel": "fax"})


@pytest.mark.parametrize(
    "name", ["", "../digest", "a/b", "a.b", "Digest", "_layout", "-x", "a\n", "x" * 61]
)
def test_a_template_name_cannot_leave_its_folder(name: str) -> None:
    assert "template" in refused(template=name)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"x", object()])
def test_data_is_json(value: object) -> None:
    assert "data" in refused(data={"x": value})


def test_data_is_text_that_can_be_encoded() -> None:
    assert "surrogate" in refused(data={"x": "\ud800"})


def test_data_has_a_largest_size() -> None:
    assert made(data={"x": "y" * (MAX_DATA_BYTES - 100)})
    assert str(MAX_DATA_BYTES) in refused(data={"x": "ü" * (MAX_DATA_BYTES // 2)})


def test_a_subject_has_a_largest_length() -> None:
    assert "subject" in refused(subject="x" * 201)


def test_extra_headers_are_for_webhooks() -> None:
    assert "takes no headers" in refused(headers={"X-A": "1"})
    webhook = {"channel": "webhook", "to": "https://a.example"}
    assert made(**webhook, headers={"X-A": "1"}).headers == {"X-A": "1"}


@pytest.mark.parametrize(
    "name",
    ["Host", "Connection", "keep-alive", "TE", "Transfer-Encoding", "Upgrade", "Content-Length",
     "Content-Type", "Proxy-Authorization", "Webhook-Id", "webhook-signature", "webhook-x", "a b",
     "a:b", "", "a\r\nb"],
)  # fmt: skip
def test_headers_of_the_connection_and_the_signature_are_refused(name: str) -> None:
    assert "header" in refused(channel="webhook", to="https://a.example", headers={name: "1"})


@pytest.mark.parametrize("value", ["a\r\nX-B: 1", "ü", "a\x00", "x" * 1001])
def test_header_values_are_one_line_of_ascii(value: str) -> None:
    with pytest.raises(InvalidParameters) as error:
        send.parse(
            {"template": "m", "channel": "webhook", "to": "https://a.example",
             "headers": {"X-A": value}}
        )  # fmt: skip
    assert "header 'X-A'" in str(error.value)
    assert value not in str(error.value)


def test_unknown_fields_are_refused() -> None:
    assert "cc" in refused(cc="x@example.com")


def test_the_job_type_is_declared() -> None:
    assert send.name == "notifications.send"
    assert send.params_model is SendParams
    assert send.priority is Priority.NORMAL
    schema = SendParams.model_json_schema()
    assert {kind["type"] for kind in schema["properties"]["to"]["anyOf"]} == {"string", "array"}
