"""Turns a template's parts and a notification's data into text, HTML and JSON."""

import json
import re
import unicodedata
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template import Context, Engine, Template, TemplateDoesNotExist, TemplateSyntaxError
from django.template.base import VariableDoesNotExist
from django.template.utils import get_app_template_dirs

from jobs import PermanentError
from notifications.channels.base import Notification

#: A folder that begins with "_" holds what templates share and is none itself.
TEMPLATE_NAME = r"[a-z0-9][a-z0-9_-]*"
LONGEST_SUBJECT = 200
_FOLDER = "notifications"
_ONE_VARIABLE = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")


def known_templates() -> list[str]:
    """Return the names of the templates that are installed, sorted."""
    roots = [Path(root) / _FOLDER for root in Engine.get_default().dirs]
    roots += [Path(root) / _FOLDER for root in get_app_template_dirs("templates")]
    return sorted(
        {
            folder.name
            for root in roots
            if root.is_dir()
            for folder in root.iterdir()
            if folder.is_dir() and re.fullmatch(TEMPLATE_NAME, folder.name)
        }
    )


def one_line(text: str) -> str:
    """Return the text fit for a header: one line, no control characters, bounded."""
    kept = "".join(c for c in " ".join(text.split()) if unicodedata.category(c) not in _UNFIT)
    return kept if len(kept) <= LONGEST_SUBJECT else kept[: LONGEST_SUBJECT - 1] + "…"


#: Control characters, and halves of surrogate pairs, which cannot be encoded.
_UNFIT = frozenset({"Cc", "Cs"})


class Rendering:
    """One notification in the parts of its template.

    A template sees `data`, `subject` (but for its own subject), `template`, `timestamp` and
    `site_url`.

    Raises:
        PermanentError: the template is unknown; the message lists those there are.
    """

    def __init__(self, notification: Notification) -> None:
        self._notification = notification
        self._engine = Engine.get_default()
        known = known_templates()
        if notification.template not in known:
            raise PermanentError(
                f"template {notification.template!r} is unknown; use one of: {', '.join(known)}"
            )
        self._values: dict[str, Any] = {
            "data": notification.data,
            "template": notification.template,
            "timestamp": notification.timestamp.isoformat(),
            "site_url": settings.SITE_URL,
        }
        self.subject = one_line(notification.subject or self.part("subject.txt") or "")
        self._values["subject"] = self.subject

    def part(self, name: str, *, autoescape: bool = False) -> str | None:
        """Return a part as text, or None if the template has no such part.

        Args:
            name: the file's name, such as `body.txt`.
            autoescape: whether `& < > " '` in the data are escaped as HTML asks for.

        Raises:
            PermanentError: the part is broken.
        """
        template = self._load(name)
        if template is None:
            return None
        return self._render(template, name, autoescape=autoescape)

    def required(self, name: str, *, autoescape: bool = False) -> str:
        """Return a part as text.

        Raises:
            PermanentError: the template lacks the part, or it is broken.
        """
        text = self.part(name, autoescape=autoescape)
        if text is None:
            raise PermanentError(
                f"template {self._notification.template!r} has no {name}; add "
                f"templates/{_FOLDER}/{self._notification.template}/{name}"
            )
        return text

    def structure(self, name: str, *, autoescape: bool = False) -> Any:
        """Return a JSON part, or None if the template has no such part.

        The file is read as JSON first and each of its strings rendered after, so that no data can
        change its structure. A string that is one variable and nothing else becomes the
        variable's own value: a number stays a number, a list a list.

        Raises:
            PermanentError: the part is broken.
        """
        template = self._load(name)
        if template is None:
            return None
        try:
            tree = json.loads(template.source)
        except ValueError as error:
            raise PermanentError(f"{self._path(name)} is not JSON: {error}") from None
        return self._fill(tree, name, autoescape)

    def _fill(self, node: Any, name: str, autoescape: bool) -> Any:
        if isinstance(node, dict):
            return {key: self._fill(child, name, autoescape) for key, child in node.items()}
        if isinstance(node, list):
            return [self._fill(child, name, autoescape) for child in node]
        if not isinstance(node, str):
            return node
        variable = _ONE_VARIABLE.fullmatch(node)
        if variable and not autoescape:
            return self._value(variable[1])
        return self._render(self._compile(node, name), name, autoescape=autoescape)

    def _value(self, path: str) -> Any:
        node: Any = self._values
        for key in path.split("."):
            node = node.get(key) if isinstance(node, dict) else None
        return node

    def _path(self, name: str) -> str:
        return f"{_FOLDER}/{self._notification.template}/{name}"

    def _load(self, name: str) -> Template | None:
        try:
            return self._engine.get_template(self._path(name))
        except TemplateDoesNotExist:
            return None
        except TemplateSyntaxError as error:
            raise PermanentError(f"template {self._path(name)} is broken: {error}") from None

    def _compile(self, source: str, name: str) -> Template:
        try:
            return self._engine.from_string(source)
        except TemplateSyntaxError as error:
            raise PermanentError(f"template {self._path(name)} is broken: {error}") from None

    def _render(self, template: Template, name: str, *, autoescape: bool) -> str:
        try:
            return template.render(Context(self._values, autoescape=autoescape))
        except VariableDoesNotExist as error:
            # Only a filter's argument does this. Of what it holds, the name is no one's data.
            raise PermanentError(
                f"template {self._path(name)} needs {error.params[0]!r} in the data"
            ) from None
        except (TemplateDoesNotExist, TemplateSyntaxError) as error:
            raise PermanentError(f"template {self._path(name)} is broken: {error}") from None
