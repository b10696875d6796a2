"""Everything that a fuzzer can think of, sent to every operation of the site's own document.

In `make test` it thinks of a few things, the same each time; by `make fuzz` of 200 for each
operation and role, and of every boundary that the document names.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from pytest_django import Settings
from schemathesis.config import SchemathesisConfig

from jobs.api.application import make_api
from jobs.domain.access import Role
from jobs.services.api_keys import create_key
from jobsite.wsgi import application

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "10"))
WHOLE = EXAMPLES >= 100
pytestmark = [] if WHOLE else [pytest.mark.once]
#: Rules that JSON Schema cannot tell, such as an address that is none: refused as 400 or 422.
#: A wrong job among many is no wrong request, and health may be bad.
_CONFIG = SchemathesisConfig.from_str(f"""
[phases.coverage]
enabled = {str(WHOLE).lower()}

[checks.positive_data_acceptance]
expected-statuses = ["2xx", "400", "403", "404", "409", "422", "429", "503"]

[[operations]]
include-operation-id = ["submitJobs", "createBatch", "addToBatch"]
checks.negative_data_rejection.enabled = false

[[operations]]
include-operation-id = "getHealth"
checks.not_a_server_error.enabled = false
""")
schema = schemathesis.openapi.from_dict(
    dict(make_api().get_openapi_schema(path_prefix="api/")), config=_CONFIG
)
schema.app = application


@pytest.fixture(autouse=True)
def _keep_the_connection() -> Iterator[None]:
    """As Django's own client has it: a request that ends closes no connection of the test's."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture(autouse=True)
def _short_streams(settings: Settings) -> None:
    settings.JOBS = {**settings.JOBS, "API_STREAM_SECONDS": 0}


@pytest.fixture(params=[*Role])
def authorization(request: pytest.FixtureRequest, db: None) -> str:
    return f"Bearer {create_key('fuzz', role=request.param, actor='test').secret}"


@schema.parametrize()
@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None,
    derandomize=not WHOLE,
)  # fmt: skip
@pytest.mark.timeout(3600 if WHOLE else 120)
def test_no_operation_answers_what_it_does_not_tell(
    case: "schemathesis.Case[Any]", authorization: str
) -> None:
    case.call_and_validate(headers={"Authorization": authorization})
