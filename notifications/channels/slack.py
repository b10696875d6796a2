"""Slack messages through chat.postMessage of the Web API."""

import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from http.client import HTTPException
from typing import Any

from django.conf import settings
from django.utils.html import escape
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

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
from notifications.retry_after import parse_retry_after

TIMEOUT_SECONDS = 10
#: Slack cuts a text at 40,000 characters.
_LONGEST_TEXT = 39_000
_RECIPIENT = re.compile(r"[CDGUW][A-Z0-9]{6,20}|#?[\w-]{1,80}")
_BROADCAST = re.compile(r"@(?=(?:channel|here|everyone|group)\b)", re.IGNORECASE)

#: https://docs.slack.dev/reference/methods/chat.postMessage
_TRANSIENT = {
    "fatal_error", "internal_error", "message_limit_exceeded", "rate_limited", "ratelimited",
    "request_timeout", "service_unavailable", "team_added_to_org",
}  # fmt: skip
#: Wrong for every recipient, not only for this one.
_AFFECTS_ALL = {
    "access_denied", "account_inactive", "invalid_auth", "missing_scope", "no_permission",
    "not_allowed_token_type", "not_authed", "rate_limited", "ratelimited", "token_expired",
    "token_revoked",
}  # fmt: skip

# At DEBUG the SDK logs whole messages, and its errors are ours to report.
_sdk_logger = logging.getLogger(f"{__name__}.sdk")
_sdk_logger.setLevel(logging.CRITICAL)


@channel("slack")
class SlackChannel(Channel):
    """Posts to channels and people by their id, or to channels by their name."""

    def __init__(self) -> None:
        self._client = WebClient(
            token=settings.SLACK_TOKEN,
            base_url=settings.SLACK_API_URL,
            timeout=TIMEOUT_SECONDS,
            logger=_sdk_logger,
            # The job is what retries, and its deliveries are what tells how often.
            retry_handlers=[],
        )
        # The SDK forces every address through the environment's proxy; urllib heeds NO_PROXY.
        self._client.proxy = None

    @classmethod
    def check_recipient(cls, recipient: str) -> str:
        """Return the address as it is."""
        if not _RECIPIENT.fullmatch(recipient):
            raise ValueError(
                f"{recipient!r} is not a Slack channel or member: use an id such as C024BE91L, "
                "or a name such as #general"
            )
        return recipient

    def compose(self, notification: Notification) -> Content:
        """Render slack.txt, or body.txt under the subject; and slack.json, the blocks."""
        rendering = Rendering(
            replace(
                notification,
                subject=_without_mentions(notification.subject),
                data=_without_mentions(notification.data),
            )
        )
        text = rendering.part("slack.txt", autoescape=True)
        if text is None:
            text = rendering.required("body.txt", autoescape=True)
        payload = rendering.structure("slack.json", autoescape=True)
        return Content(
            subject=rendering.subject,
            text=_plain_quotes(text.strip() or escape(rendering.subject))[:_LONGEST_TEXT],
            payload=_plain_quotes(payload),
        )

    def send(self, message: Message) -> Receipt:
        """Post the message."""
        if not settings.SLACK_TOKEN:
            raise DeliveryError(
                "there is no Slack token; set SLACK_TOKEN to a bot token (xoxb-…) with the scope "
                "chat:write",
                permanent=True,
                affects_all=True,
            )
        try:
            answer = self._client.chat_postMessage(
                channel=message.recipient,
                text=message.content.text,
                blocks=message.content.payload,
                parse="none",
                link_names=False,
                unfurl_links=False,
                unfurl_media=False,
                # Slack drops no repeat by itself; this lets an app there tell one.
                metadata={
                    "event_type": "notification",
                    "event_payload": {"delivery_id": str(message.id)},
                },
            )
        except SlackApiError as error:
            raise _refusal(error) from None
        except (SlackClientError, HTTPException, OSError, ValueError) as error:
            raise DeliveryError(
                short_error(f"Slack cannot be reached: {error or type(error).__name__}"),
                permanent=False,
            ) from None
        return Receipt(str(answer.get("ts", "ok")))


def _refusal(error: SlackApiError) -> DeliveryError:
    response: Any = error.response
    code, status = str(response.get("error", "unknown_error")), int(response.status_code)
    headers = {name.lower(): value for name, value in response.headers.items()}
    limited = status == 429 or code in {"ratelimited", "rate_limited"}
    return DeliveryError(
        short_error(f"Slack answered {code}") + (f" (HTTP {status})" if status != 200 else ""),
        permanent=not (limited or status >= 500 or code in _TRANSIENT),
        retry_after=parse_retry_after(headers.get("retry-after"), now=datetime.now(UTC))
        if limited
        else None,
        affects_all=limited or code in _AFFECTS_ALL,
        answer=code if re.fullmatch(r"\w+", code) else str(status),
    )


def _without_mentions(node: Any) -> Any:
    """Return the data with nothing left that Slack would call a whole channel for.

    `<!channel>` and `<@U…>` are dealt with by escaping; this is for the plain words.
    """
    if isinstance(node, str):
        return _BROADCAST.sub("@\u2060", node)
    if isinstance(node, Mapping):
        return {key: _without_mentions(child) for key, child in node.items()}
    return [_without_mentions(child) for child in node] if isinstance(node, list) else node


def _plain_quotes(node: Any) -> Any:
    """Undo what HTML escapes and Slack does not: it asks for `& < >` only."""
    if isinstance(node, str):
        return node.replace("&quot;", '"').replace("&#x27;", "'").replace("&#39;", "'")
    if isinstance(node, dict):
        return {key: _plain_quotes(child) for key, child in node.items()}
    return [_plain_quotes(child) for child in node] if isinstance(node, list) else node
