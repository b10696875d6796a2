"""What is stored is what the worker reads, however the model is written."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr, computed_field
from pydantic import field_validator as validator

from jobs import JobContext, job_type
from jobs.backends.memory import drain
from jobs.domain.errors import ConfigurationError
from jobs.domain.registry import registry
from jobs.public import InvalidParameters, get, submit

pytestmark = pytest.mark.usefixtures("memory")


class Camel(BaseModel):
    model_config = ConfigDict(extra="forbid")
    instance_id: int = Field(alias="instanceId")
    region: str = Field("eu", validation_alias=AliasChoices("zone", "area"))

    @computed_field  # type: ignore[prop-decorator]
    @property
    def label(self) -> str:
        return f"{self.region}-{self.instance_id}"


class Doubling(BaseModel):
    n: int

    @validator("n")
    @classmethod
    def _double(cls, n: int) -> int:
        return n * 2


class Secretive(BaseModel):
    user: str
    password: SecretStr


@pytest.fixture
def declare() -> Iterator[Callable[[type[BaseModel]], str]]:
    """Declare a type whose handler returns its parameters."""

    def declared(model: type[BaseModel]) -> str:
        def handle(params: Any, ctx: JobContext) -> Any:
            return {**params.model_dump(), "kind": type(params).__name__}

        handle.__annotations__["params"] = model
        job_type("models.one")(handle)
        return "models.one"

    yield declared
    registry._types.pop("models.one", None)


@pytest.mark.parametrize(
    "params",
    [
        {"instanceId": 7, "zone": "us"},
        {"instance_id": 7, "area": "us"},
        Camel(instanceId=7, zone="us"),
    ],
    ids=["by alias", "by name", "the model"],
)
def test_aliases_and_computed_fields_reach_the_handler(
    declare: Callable[[type[BaseModel]], str], params: Any
) -> None:
    job_id = submit(declare(Camel), params).job_id
    assert get(job_id).params == {"instance_id": 7, "region": "us"}
    drain()
    assert get(job_id).result == {
        "instance_id": 7, "region": "us", "label": "us-7", "kind": "Camel",
    }  # fmt: skip


def test_a_model_that_changes_what_it_reads_is_refused(
    declare: Callable[[type[BaseModel]], str],
) -> None:
    with pytest.raises(InvalidParameters, match="make its validators idempotent"):
        submit(declare(Doubling), {"n": 2})


def test_a_model_with_a_secret_cannot_be_declared(
    declare: Callable[[type[BaseModel]], str],
) -> None:
    with pytest.raises(ConfigurationError, match="would be stored as asterisks"):
        declare(Secretive)
