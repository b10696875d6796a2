"""Which models need no trial: what they store is what they read."""

from datetime import datetime
from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel, field_serializer

from jobs.domain.plain_models import is_plain


class Inner(BaseModel):
    rows: list[dict[str, float]]


class Plain(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    text: Annotated[str, Field(max_length=3)] = ""
    number: int | None = None
    kind: Literal["a", "b"] = "a"
    inner: Inner | None = None
    anything: Any = None


class Aliased(BaseModel):
    text: str = Field(default="", alias="Text")


class Lossy(BaseModel):
    text: Annotated[str, AfterValidator(lambda value: value + "!")]


class Dated(BaseModel):
    at: datetime


class Serialized(BaseModel):
    text: str

    @field_serializer("text")
    def shout(self, value: str) -> str:
        return value.upper()


class Keyed(BaseModel):
    by_number: dict[int, str]


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")


class Stripped(BaseModel):
    model_config = ConfigDict(str_to_upper=True)
    text: str


class Listed(RootModel[list[int]]):
    pass


class Prepared(BaseModel):
    text: str = ""

    def model_post_init(self, _context: Any) -> None:
        self.text += "!"


def test_fields_of_jsons_own_types_are() -> None:
    assert is_plain(Plain)
    assert is_plain(Inner)


@pytest.mark.parametrize(
    "model",
    [Aliased, Lossy, Dated, Serialized, Keyed, Open, Stripped, Listed, Prepared],
    ids=lambda model: model.__name__,
)
def test_whatever_has_a_mind_of_its_own_is_not(model: type[BaseModel]) -> None:
    assert not is_plain(model)
