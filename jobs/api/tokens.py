"""Tokens over HTTP: a key is exchanged for what lasts ten minutes and may do less."""

from typing import Annotated, Any, Literal

from ninja import Router, Schema
from pydantic import Field

from jobs.api.authentication import ApiKey, ApiRequest
from jobs.api.parsing import Body
from jobs.domain.access import Scope
from jobs.selectors.tokens import LIFE, make_token
from jobs.services.api_keys import key_with_id

router = Router(tags=["tokens"], by_alias=True)


class TokenIn(Body):
    """What a token should be able to do."""

    scopes: Annotated[list[Scope], Field(max_length=len(Scope))] = Field(
        default=[], description="Fewer than the key's; none: all of them."
    )


class TokenOut(Schema):
    """A token, named as OAuth names its parts (RFC 6749, 5.1)."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int = Field(description="Seconds.")
    scope: str = Field(description="What it may do, with spaces between.")


@router.post(
    "",
    auth=ApiKey(None, tokens=False),
    response=TokenOut,
    operation_id="makeToken",
    summary="Exchange a key for a token",
)
def make(request: ApiRequest, body: TokenIn) -> dict[str, Any]:
    """Return a token that may do no more than the key, for ten minutes.

    It ends with the key. A token cannot be exchanged for another.
    """
    token = make_token(key_with_id(request.auth.key_id), body.scopes)
    return {
        "access_token": token.text,
        "token_type": "Bearer",
        "expires_in": int(LIFE.total_seconds()),
        "scope": " ".join(sorted(token.scopes)),
    }
