import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import notifications.channels
from notifications.channels import registry
from notifications.channels.email import EmailChannel

PAGER = """
from notifications.channels.base import Channel, Content, Message, Notification, Receipt
from notifications.channels.registry import channel


@channel("pager")
class PagerChannel(Channel):
    @classmethod
    def check_recipient(cls, recipient: str) -> str:
        if not recipient.isdigit():
            raise ValueError(f"{recipient!r} is not a number")
        return recipient

    def compose(self, notification: Notification) -> Content:
        return Content(text=notification.template)

    def send(self, message: Message) -> Receipt:
        return Receipt("beep")
"""


@pytest.fixture
def pager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "pager.py").write_text(PAGER)
    path = [*notifications.channels.__path__, str(tmp_path)]
    monkeypatch.setattr(notifications.channels, "__path__", path)
    monkeypatch.setattr(registry, "_channels", dict(registry._channels))
    registry.discover.cache_clear()
    yield
    registry.discover.cache_clear()
    sys.modules.pop("notifications.channels.pager", None)


@pytest.mark.usefixtures("pager")
def test_a_new_channel_is_one_file() -> None:
    from notifications.parameters import SendParams

    assert registry.channel_names() == ["email", "pager", "slack", "webhook"]
    params = {"template": "message", "channel": "pager", "to": "112"}
    assert SendParams.model_validate(params).to == ["112"]
    with pytest.raises(ValueError, match="'x' is not a number"):
        SendParams.model_validate({**params, "to": "x"})


def test_an_unknown_channel_names_the_known() -> None:
    with pytest.raises(ValueError, match="'fax' is unknown; use one of: email, slack, webhook"):
        registry.find_channel("fax")


def test_a_name_is_taken_once() -> None:
    class Other(EmailChannel):
        pass

    with pytest.raises(ValueError, match="'email' is declared twice, by EmailChannel"):
        registry.channel("email")(Other)
    assert registry.find_channel("email").__name__ == "EmailChannel"
