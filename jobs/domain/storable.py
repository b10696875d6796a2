"""What can be stored as JSON in every database we run on."""

import json
import re
from typing import Any

from pydantic_core import PydanticSerializationError, to_json, to_jsonable_python

#: An escaped NUL, and not the six characters of one behind an escaped backslash.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
#: As a number, or as text that merely says so.
_NO_NUMBER = re.compile(rb"NaN|Infinity")
#: Python reads no whole number that has more.
_MOST_DIGITS = 4300

_HALF_A_PAIR = "it holds half of a surrogate pair, which is not text"
_check_numbers = json.JSONEncoder(allow_nan=False).encode


class TooLarge(ValueError):
    """It has more bytes than are allowed; the message says how many."""


def storable(value: Any, *, limit_bytes: int) -> Any:
    """Return the value as plain JSON data.

    Pydantic models, dataclasses, dates, UUIDs, sets and the like become what JSON has.

    Raises:
        TooLarge: it has more bytes than that.
        ValueError: it cannot be stored; the message says why and what to do.
    """
    plain = _plain(value)
    text = _as_text(plain)
    size = len(text)
    if size > limit_bytes:
        raise TooLarge(
            f"it has {size} bytes as JSON and {limit_bytes} are allowed; store it elsewhere and "
            "keep its name here"
        )
    if _NUL.search(text):
        raise ValueError("it holds a NUL character, which PostgreSQL cannot store")
    return plain


def _plain(value: Any) -> Any:
    try:
        return to_jsonable_python(value, inf_nan_mode="constants")
    except PydanticSerializationError as error:
        raise ValueError(f"it is not JSON: {error}") from None
    except UnicodeEncodeError:
        raise ValueError(_HALF_A_PAIR) from None
    except UnicodeDecodeError:
        raise ValueError("it holds bytes that are no text; use base64") from None
    except (ValueError, RecursionError):
        raise ValueError("it holds a loop, or is nested too deeply") from None


def _as_text(plain: Any) -> bytes:
    try:
        text = to_json(plain, inf_nan_mode="constants")
    except PydanticSerializationError:
        raise ValueError(_HALF_A_PAIR) from None
    if len(text) > _MOST_DIGITS or _NO_NUMBER.search(text):
        try:
            _check_numbers(plain)
        except ValueError:
            raise ValueError(
                "it holds a number that JSON lacks (NaN or infinity), or one of thousands of digits"
            ) from None
    return text
