"""The form of a job's parameters is made of its type's model."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from django import forms
from django.test import Client
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, model_validator

from jobs.admin.parameter_fields import parameters_of
from jobs.domain.registry import registry
from jobs.models import Job

Declare = Callable[[type[BaseModel]], str]
FORM = "/admin/jobs/job/add/"


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Inner(BaseModel):
    """For those who read the code."""

    start: int
    end: int = 9


class Every(BaseModel):
    """One field of each kind."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(description="Who <b>asks</b>", max_length=20)]
    place: str = "here"
    note: str | None = None
    count: Annotated[int, Field(ge=1, le=5)] = 2
    ratio: float = 0.5
    limit: int | None = None
    dry_run: bool = True
    sure: bool | None = None
    period: Literal["day", "week"] = "week"
    level: Literal[1, 2] = 1
    colour: Colour | None = None
    on: date | None = None
    at: AwareDatetime | None = None
    key: UUID | None = None
    wait: timedelta = timedelta(seconds=5)
    price: Decimal = Decimal("1.50")
    inner: Inner = Inner(start=1)
    tags: list[str] = Field(default_factory=list)
    either: int | list[int] = 3
    anything: Any = None


def page_of(browser: Client, name: str, **query: str) -> str:
    return browser.get(FORM, {"job_type": name, **query}).content.decode()


def row(page: str, name: str) -> str:
    """Return the part of the page that asks for a parameter."""
    return page.split(f" field-params.{name}")[1].split('<div class="form-row')[0]


def control(page: str, name: str) -> str:
    """Return the parameter's input, select or text area."""
    found = re.search(rf'<(input|select|textarea)[^>]* name="params\.{name}"[^>]*>', page)
    assert found, name
    inside = page[found.end() :].partition(f"</{found[1]}>")[0]
    return found[0] if found[1] == "input" else found[0] + inside


def post(browser: Client, job_type: str, /, **params: str) -> Any:
    data = {f"params.{field}": value for field, value in params.items()}
    return browser.post(f"{FORM}?job_type={job_type}", data)


def stored(response: Any) -> dict[str, Any]:
    assert response.status_code == 302, dict(response.context["errors"])
    params: dict[str, Any] = Job.objects.get().params
    return params


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("name", ['type="text"', 'maxlength="20"', "required"]),
        ("place", ['type="text"', 'value="here"']),
        ("count", ['type="number"', 'value="2"', 'min="1"', 'max="5"']),
        ("ratio", ['type="number"', 'value="0.5"', 'step="any"']),
        ("limit", ['type="number"']),
        ("dry_run", ['type="checkbox"', "checked"]),
        ("sure", ["<select", '<option value="" selected>', 'value="True">yes']),
        ("period", ["<select", '<option value="week" selected>', '<option value="day">']),
        ("level", ["<select", '<option value="1" selected>']),
        ("colour", ["<select", '<option value="" selected>', '<option value="blue">']),
        ("on", ['type="date"']),
        ("at", ['type="datetime-local"']),
        ("key", ['type="text"']),
        ("inner", ["<textarea", "&quot;start&quot;: 1"]),
        ("tags", ["<textarea"]),
        ("either", ["<textarea", "3"]),
        ("anything", ["<textarea"]),
    ],
)
def test_each_kind_of_field_has_its_input(
    browser: Client, declare: Declare, field: str, told: list[str]
) -> None:
    shown = control(page_of(browser, declare(Every)), field)
    assert [each for each in told if each not in shown] == []
    assert ("required" in shown) == (field == "name")


def test_a_field_has_a_label_and_tells_what_it_means(browser: Client, declare: Declare) -> None:
    page = page_of(browser, declare(Every))
    assert re.search(r"<label[^>]*>Dry run", row(page, "dry_run"))
    assert "Who &lt;b&gt;asks&lt;/b&gt;" in row(page, "name")
    assert "JSON: an object with start (integer), end (integer)." in row(page, "inner")
    assert "For those who read the code" not in page
    assert "JSON: a list, each of type string." in row(page, "tags")
    assert "In UTC." in row(page, "at")
    assert "Format: duration." in row(page, "wait")


def test_what_is_typed_becomes_the_parameters(browser: Client, declare: Declare) -> None:
    response = post(
        browser,
        declare(Every),
        name=" Ada ",
        place="",
        note="a note",
        count="4",
        ratio="0.25",
        limit="7",
        sure="False",
        period="day",
        level="2",
        colour="blue",
        on="2026-03-01",
        at="2026-03-01T09:30:00",
        key="0190a6a0-0000-7000-8000-000000000000",
        wait="PT1M",
        price="2.25",
        inner='{"start": 3}',
        tags='["a", "b"]',
        either="[1, 2]",
        anything='"text"',
    )
    assert stored(response) == {
        "name": " Ada ",
        "place": "",
        "note": "a note",
        "count": 4,
        "ratio": 0.25,
        "limit": 7,
        "dry_run": False,
        "sure": False,
        "period": "day",
        "level": 2,
        "colour": "blue",
        "on": "2026-03-01",
        "at": "2026-03-01T09:30:00Z",
        "key": "0190a6a0-0000-7000-8000-000000000000",
        "wait": "PT1M",
        "price": "2.25",
        "inner": {"start": 3, "end": 9},
        "tags": ["a", "b"],
        "either": [1, 2],
        "anything": "text",
    }


def test_what_is_left_empty_has_its_default(browser: Client, declare: Declare) -> None:
    assert stored(post(browser, declare(Every), name="Ada")) == {
        **Every(name="Ada").model_dump(mode="json"),
        "place": "",  # an empty text is a text
        "dry_run": False,  # as is a box that is not ticked a value
    }


class Nullable(BaseModel):
    count: int | None = 5
    tags: list[str] | None = ["a"]
    made: list[str] | None = Field(default_factory=lambda: ["made"])


def test_an_empty_field_says_none_where_the_default_is_another(
    browser: Client, declare: Declare
) -> None:
    told = stored(post(browser, declare(Nullable), count="", tags="", made=""))
    assert told == {"count": None, "tags": None, "made": ["made"]}


def test_a_text_keeps_its_lines(browser: Client, declare: Declare) -> None:
    class Letter(BaseModel):
        body: str = "Dear all,\n"

    name = declare(Letter)
    assert "<textarea" in control(page_of(browser, name), "body")
    assert stored(post(browser, name, body="one\r\ntwo")) == {"body": "one\ntwo"}


class Node(BaseModel):
    name: str
    inside: "Node | None" = None


class Checked(BaseModel):
    first: Annotated[int, Field(alias="firstDay")]
    last: int = 0
    inner: Inner = Inner(start=1)

    @model_validator(mode="after")
    def _in_order(self) -> "Checked":
        if self.last < self.first:
            raise ValueError("the last comes before the first")
        return self


@pytest.mark.parametrize(
    ("typed", "field", "message"),
    [
        ({"first": "x"}, "params.first", "Enter a whole number"),
        ({}, "params.first", "This field is required"),
        ({"first": "1", "inner": '{"start": "x"}'}, "params.inner", "start: Input should be"),
        ({"first": "1", "inner": '{"start": '}, "params.inner", "This is not JSON"),
        ({"first": "1", "inner": "[" * 100_000}, "params.inner", "cannot be read"),
        ({"first": "1", "inner": "[]"}, "params.inner", "Input should be"),
        ({"first": "2", "last": "1"}, "__all__", "the last comes before the first"),
    ],
)
def test_a_problem_stands_on_its_field(
    browser: Client, declare: Declare, typed: dict[str, str], field: str, message: str
) -> None:
    response = post(browser, declare(Checked), **typed)
    assert response.status_code == 200
    assert [message in each for each in response.context["errors"][field]] == [True]
    assert not Job.objects.exists()
    assert message in response.content.decode()


def test_every_wrong_field_is_told_at_once(browser: Client, declare: Declare) -> None:
    response = post(browser, declare(Every), count="9", key="x", colour="blue", inner="{}")
    assert set(response.context["errors"]) == {
        "params.name", "params.count", "params.key", "params.inner"
    }  # fmt: skip


def test_what_was_typed_wrong_stays_as_it_was_typed(browser: Client) -> None:
    page = post(browser, "sample.nested", period='{"start":  1,').content.decode()
    assert "{&quot;start&quot;:  1," in control(page, "period")


def test_a_problem_finds_its_field_by_the_fields_alias(browser: Client, declare: Declare) -> None:
    class Aliased(BaseModel):
        day: Annotated[str, Field(alias="theDay", pattern="^[a-z]+$")]

    response = post(browser, declare(Aliased), day="1")
    assert "params.day" in response.context["errors"]
    assert stored(post(browser, "shown.in_a_form", day="monday")) == {"day": "monday"}


def test_a_model_that_takes_more_than_its_fields_is_asked_for_as_json(
    browser: Client, declare: Declare
) -> None:
    class Open(BaseModel):
        model_config = ConfigDict(extra="allow")
        known: int

    name = declare(Open)
    assert 'name="parameters"' in page_of(browser, name)
    assert "params.known" not in page_of(browser, name)
    typed = {"parameters": '{"known": 1, "more": 2}'}
    assert stored(browser.post(f"{FORM}?job_type={name}", typed)) == {"known": 1, "more": 2}


def test_a_model_without_a_schema_is_asked_for_as_json(browser: Client, declare: Declare) -> None:
    class Opaque(BaseModel):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        what: Callable[[], int] | None = None

    assert 'name="parameters"' in page_of(browser, declare(Opaque))


def test_a_model_that_holds_itself_is_asked_for_by_field(browser: Client, declare: Declare) -> None:
    told = stored(post(browser, declare(Node), name="a", inside='{"name": "b"}'))
    assert told == {"name": "a", "inside": {"name": "b", "inside": None}}


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ('{"period": {"start": "x"}}', "period.start: Input should be a valid integer"),
        ("{}", "period: Field required"),
        ('{"period": ', "This is not JSON"),
        ("[1]", "must be a JSON object"),
        ("[" * 100_000, "cannot be read"),
    ],
)
def test_parameters_as_json_are_checked_too(browser: Client, typed: str, message: str) -> None:
    address = f"{FORM}?job_type=sample.nested&as=json"
    response = browser.post(address, {"parameters": typed})
    assert message in " ".join(response.context["errors"]["parameters"])
    assert typed.replace('"', "&quot;") in response.content.decode()


def test_parameters_can_be_written_as_json(browser: Client) -> None:
    page = page_of(browser, "sample.nested")
    assert 'href="?job_type=sample.nested&amp;as=json"' in page
    address = f"{FORM}?job_type=sample.nested&as=json"
    assert "JSON: an object with period." in browser.get(address).content.decode()
    typed = {"parameters": '{"period": {"start": 3}}'}
    assert stored(browser.post(address, typed)) == {"period": {"start": 3}}


@pytest.mark.parametrize("name", [each.name for each in registry])
def test_every_job_type_has_its_form(browser: Client, name: str) -> None:
    response = browser.get(FORM, {"job_type": name})
    assert response.status_code == 200
    asked = set(response.context["adminform"].form.fields)
    for field in registry.get(name).params_model.model_fields:
        assert f"params.{field}" in asked


def test_a_type_without_parameters_says_so(browser: Client) -> None:
    assert "It takes none." in page_of(browser, "sample.chatty")


def test_a_secret_is_typed_unseen_and_not_shown_again() -> None:
    class Secretive(BaseModel):
        token: SecretStr = SecretStr("hidden")

    (asked,) = (parameters_of(Secretive) or {}).values()
    assert isinstance(asked.field.widget, forms.PasswordInput)
    assert asked.field.widget.render("token", "typed") == asked.field.widget.render("token", None)


def test_a_stored_value_that_no_longer_fits_does_not_break_the_form() -> None:
    stored: dict[str, Any] = {"on": 5, "at": "2026-99-99T00:00", "period": "year", "count": "x"}
    asked = parameters_of(Every, stored) or {}
    form = type("Form", (forms.Form,), {name: each.field for name, each in asked.items()})()
    assert 'value="x"' in control(form.as_p().replace('name="', 'name="params.'), "count")
