import base64
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from notifications.signing import BadSecret, sign, verify

ID = UUID(int=7)
BODY = '{"name":"Grüße"}'
OLD, NEW = ("whsec_" + base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))


def signed(secrets: str, *, age: timedelta = timedelta(0)) -> dict[str, str]:
    return sign(BODY, message_id=ID, timestamp=datetime.now(UTC) - age, secrets=secrets)


def test_the_official_library_verifies_ours() -> None:
    headers = signed(NEW)
    assert headers["webhook-id"] == str(ID)
    assert Webhook(NEW).verify(BODY, headers) == {"name": "Grüße"}


def test_the_example_of_the_specification() -> None:
    headers = sign(
        '{"test": 2432232314}',
        message_id=ID,
        timestamp=datetime.fromtimestamp(1614265330, UTC),
        secrets="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    )
    assert headers["webhook-timestamp"] == "1614265330"
    assert headers["webhook-signature"].startswith("v1,")
    assert len(base64.b64decode(headers["webhook-signature"][3:])) == 32


def test_while_secrets_rotate_both_verify() -> None:
    headers = signed(f"{NEW} {OLD}")
    assert Webhook(NEW).verify(BODY, headers)
    assert Webhook(OLD).verify(BODY, headers)
    assert verify(BODY.encode(), signed(OLD), secrets=f"{NEW} {OLD}") == {"name": "Grüße"}


def test_tampered_stale_and_foreign_ones_are_refused() -> None:
    for body, headers, secret in (
        (BODY + " ", signed(NEW), NEW),
        (BODY, {**signed(NEW), "webhook-id": "other"}, NEW),
        (BODY, signed(NEW, age=timedelta(minutes=6)), NEW),
        (BODY, signed(NEW, age=timedelta(minutes=-6)), NEW),
        (BODY, signed(OLD), NEW),
        (BODY, {}, NEW),
    ):
        with pytest.raises(WebhookVerificationError):
            verify(body.encode(), headers, secrets=secret)


@pytest.mark.parametrize("secret", ["", "  ", "whsec_", "c2VjcmV0", "whsec_n*t base64", "whsec_ü"])
def test_a_bad_secret_is_told_without_showing_it(secret: str) -> None:
    with pytest.raises(BadSecret, match="set WEBHOOK_SECRET") as error:
        signed(secret)
    assert not secret.strip() or secret == "whsec_" or secret not in str(error.value)
