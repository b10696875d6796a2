"""Tokens: made with a key, for ten minutes, and refused if anything about them is wrong."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from jobs.domain.access import Role, Scope
from jobs.selectors.tokens import _secret, make_token
from jobs.services.api_keys import get_key, revoke_key
from tests.integration.api.conftest import Caller

Make = Callable[..., Caller]


@pytest.fixture
def using(caller: Make) -> Caller:
    return caller(Role.OPERATOR)


def token_of(using: Caller, **body: Any) -> str:
    told = using.post("/api/token", body)
    assert (told["token_type"], told["expires_in"]) == ("Bearer", 600)
    return str(told["access_token"])


def test_a_token_may_do_what_its_key_may(using: Caller) -> None:
    with_token = Caller(token_of(using))
    told = with_token.post("/api/jobs", {"type": "sample.echo"}, 202)
    seen = with_token.get(f"/api/jobs/{told['jobId']}")
    assert seen["timeline"][0]["actor"].startswith("token of key jsk_")


def test_a_token_may_do_less_and_never_more(using: Caller) -> None:
    reading = Caller(token_of(using, scopes=["read"]))
    reading.get("/api/jobs")
    reading.post("/api/jobs", {"type": "sample.echo"}, 403)
    more = Caller(token_of(using, scopes=["read", "administer"]))
    more.post("/api/jobs/schedules", {"name": "x", "type": "sample.echo", "cron": "@daily"}, 403)
    assert using.post("/api/token", {"scopes": ["all"]}, 400)["code"] == "invalid_request"


def test_a_token_makes_no_token(using: Caller) -> None:
    Caller(token_of(using)).post("/api/token", {}, 401)
    Caller(None).post("/api/token", {}, 401)


def test_it_ends_after_ten_minutes_and_with_its_key(using: Caller) -> None:
    key = get_key(using.secret or "")
    old = make_token(key, now=datetime.now(UTC) - timedelta(minutes=11))
    Caller(old.text).get("/api/jobs", 401)
    token = token_of(using)
    Caller(token).get("/api/jobs")
    revoke_key(key, actor="ada")
    Caller(token).get("/api/jobs", 401)


def claims(using: Caller, **changes: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    told = {
        "iss": "jobsite", "aud": "jobsite-api", "sub": get_key(using.secret or "").prefix,
        "iat": now, "exp": now + timedelta(minutes=5), "scopes": ["read"],
    }  # fmt: skip
    return {name: value for name, value in {**told, **changes}.items() if value is not None}


def unsigned(told: dict[str, Any], header: dict[str, str], signature: str = "") -> str:
    def part(value: object) -> str:
        text = json.dumps(value, default=lambda at: int(at.timestamp()))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    return f"{part(header)}.{part(told)}.{signature}"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "someone"}, {"aud": "another-api"}, {"sub": "jsk_00000000"}, {"exp": None},
        {"iat": None}, {"iss": None}, {"aud": None}, {"sub": None}, {"scopes": None},
        {"scopes": ["root"]}, {"scopes": 7}, {"sub": ["jsk_00000000"]},
        {"iat": datetime.now(UTC) + timedelta(hours=1)},
        {"exp": datetime.now(UTC) + timedelta(days=1)},
    ],
)  # fmt: skip
def test_a_claim_that_is_wrong_is_refused(using: Caller, changes: dict[str, Any]) -> None:
    right = jwt.encode(claims(using), _secret(), algorithm="HS256")
    Caller(right).get("/api/jobs")
    try:
        wrong = jwt.encode(claims(using, **changes), _secret(), algorithm="HS256")
    except TypeError:  # what this library does not write
        told = claims(using, **changes)
        wrong = jwt.api_jws.encode(
            json.dumps(told, default=lambda at: int(at.timestamp())).encode(), _secret()
        )
    Caller(wrong).get("/api/jobs", 401)


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_the_algorithm_is_not_the_senders_choice(using: Caller) -> None:
    for name in ("none", "None", "NONE"):
        Caller(unsigned(claims(using), {"alg": name, "typ": "JWT"})).get("/api/jobs", 401)
    other = jwt.encode(claims(using), _secret(), algorithm="HS512")
    Caller(other).get("/api/jobs", 401)
    wrong = jwt.encode(claims(using), b"x" * 32, algorithm="HS256")
    Caller(wrong).get("/api/jobs", 401)
    head, body, _ = wrong.split(".")
    for signature in ("", "AAAA"):
        Caller(f"{head}.{body}.{signature}").get("/api/jobs", 401)


def test_scopes_stand_in_it_by_name(using: Caller) -> None:
    token = make_token(get_key(using.secret or ""), [Scope.READ])
    assert token.scopes == {Scope.READ}
