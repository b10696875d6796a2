"""What can be stored as JSON in every database we run on."""

import json
import re
from typing import Any

from pydantic_core import PydanticSerializationError, to_jsonable_python

#: An escaped NUL, and not the six characters of one behind an escaped backslash.
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")

_encode = json.JSONEncoder(allow_nan=False, ensure_ascii=False).encode


def storable(value: Any, *, limit_bytes: int) -> Any:
    """Return the value as plain JSON data.

    Pydantic models, dataclasses, dates, UUIDs, sets and the like become what JSON has.

    Raises:
        ValueError: it cannot be stored; the message says why and what to do.
    """
    try:
        plain = to_jsonable_python(value, inf_nan_mode="constants")
        text = _encode(plain)
        size = len(text.encode())
    except PydanticSerializationError as error:
        raise ValueError(f"it is not JSON: {error}") from None
    except UnicodeEncodeError:
        raise ValueError("it holds half of a surrogate pair, which is not text") from None
    except ValueError:
        raise ValueError("it holds a number that JSON lacks (NaN or infinity), or a loop") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if size > limit_bytes:
        raise ValueError(
            f"it has {size} bytes as JSON and {limit_bytes} are allowed; store it elsewhere and "
            "keep its name here"
        )
    if _NUL.search(text):
        raise ValueError("it holds a NUL character, which PostgreSQL cannot store")
    return plain
