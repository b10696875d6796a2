"""Filters for notification templates, whose data comes from anywhere."""

from datetime import datetime
from urllib.parse import urlsplit

import nh3
from django import template
from django.utils.html import conditional_escape, escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

#: No images: in an email they tell the sender when it is read.
_TAGS = {
    "a", "b", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr",
    "i", "li", "ol", "p", "pre", "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip


@register.filter
def sanitized(html: object) -> SafeString:
    """Return HTML with nothing left but text, structure and http(s) links."""
    clean = nh3.clean(
        str(html or ""),
        tags=_TAGS,
        attributes={"a": {"href", "title"}},
        url_schemes={"http", "https"},
    )
    return mark_safe(clean)  # noqa: S308 - this is what cleans it


@register.filter
def web_url(value: object) -> str:
    """Return the value if it is an absolute http(s) address, and nothing otherwise."""
    url = str(value or "")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return ""
    return url if usable and not any(c.isspace() or c in "<>\"'`|" for c in url) else ""


@register.filter
def slack_link(url: object, label: object) -> SafeString:
    """Return a Slack link with that label; the label alone if the address cannot be used."""
    address = web_url(url)
    # A "|" would end the address, and a line break the link.
    text = label if isinstance(label, str) else str(label)
    name = " ".join(conditional_escape(text).replace("|", "/").split())
    link = f"<{escape(address)}|{name}>" if address else name
    return mark_safe(link)  # noqa: S308 - both parts were escaped


@register.filter
def day(value: object) -> str:
    """Return an ISO date or time as `5 Mar 2026`; anything else as it is."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return str(value or "")
    return f"{moment.day} {moment:%b %Y}"


@register.filter
def words(name: object) -> str:
    """Return a key as people write it: `merged_pull_requests` as `merged pull requests`."""
    return str(name).replace("_", " ")
