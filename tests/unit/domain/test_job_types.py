from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field

import jobs
from jobs import JobContext
from jobs.domain.errors import ConfigurationError, InvalidParameters, UnknownJobType
from jobs.domain.job_types import JobType, NoParams, params_model_of
from jobs.domain.registry import Registry


class Export(BaseModel):
    report: str
    rows: int = 10


def handler(params: Export, ctx: JobContext) -> str:
    return f"{params.report}.csv"


def declared(name: str = "reports.export", **options: Any) -> JobType:
    return JobType(name=name, handler=handler, **{"params_model": Export, **options})


def test_a_handler_stays_a_plain_function() -> None:
    assert declared()(Export(report="sales"), JobContext("reports.export")) == "sales.csv"


def test_parse_fills_defaults_in() -> None:
    assert declared().parse({"report": "sales"}) == Export(report="sales", rows=10)


def test_a_wrong_field_is_named_by_its_path() -> None:
    with pytest.raises(InvalidParameters) as caught:
        declared().parse({"report": "sales", "rows": "many"})
    assert caught.value.problems[0][0] == "rows"
    assert "reports.export" in str(caught.value)


class Period(BaseModel):
    model_config = ConfigDict(extra="forbid")
    start: int = 0
    end: int = 0


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")
    period: Period = Period()
    parts: list[Period] = Field(default_factory=list)


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"perod": 1}, "perod: is unknown; use one of: period, parts"),
        ({"period": {"strat": 1}}, "period.strat: is unknown; use one of: start, end"),
        ({"parts": [{"strat": 1}]}, "parts.0.strat: Extra inputs are not permitted"),
    ],
)
def test_an_unknown_field_is_told_with_those_there_are(params: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidParameters, match=told):
        declared(params_model=Strict).parse(params)


def test_a_type_without_parameters_takes_none() -> None:
    with pytest.raises(InvalidParameters, match="x: is unknown; there are none"):
        declared(params_model=NoParams).parse({"x": 1})


def test_a_missing_field_is_named() -> None:
    with pytest.raises(InvalidParameters, match="report: Field required"):
        declared().parse(None)


@pytest.mark.parametrize("name", ["export", "Reports.Export", "reports..x", ".x", "a" * 120 + ".b"])
def test_a_bad_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"app\.action"):
        declared(name)


@pytest.mark.parametrize(
    "options", [{"max_attempts": 0}, {"timeout": timedelta(0)}, {"queue": "My Queue"}]
)
def test_a_bad_option_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"reports\.export"):
        declared(**options)


def test_a_handler_must_annotate_its_parameters_with_a_model() -> None:
    def wrong(params: int, ctx: JobContext) -> None: ...

    with pytest.raises(ConfigurationError, match="pydantic"):
        params_model_of("a.b", wrong)


def test_an_async_handler_is_refused() -> None:
    async def wrong(params: Export, ctx: JobContext) -> None: ...

    with pytest.raises(ConfigurationError, match="async_to_sync"):
        params_model_of("a.b", wrong)


def test_a_handler_must_take_params_and_context() -> None:
    def wrong(params: Export) -> None: ...

    with pytest.raises(ConfigurationError, match=r"\(params, ctx\)"):
        params_model_of("a.b", wrong)


def test_a_handler_without_annotation_takes_no_parameters() -> None:
    def nothing(params, ctx): ...  # type: ignore[no-untyped-def]

    assert params_model_of("a.b", nothing) is NoParams


def test_an_unknown_type_suggests_the_nearest() -> None:
    registry = Registry()
    registry.add(declared())
    with pytest.raises(UnknownJobType, match=r"did you mean 'reports\.export'"):
        registry.get("reports.exprot")


def test_two_handlers_cannot_share_a_name() -> None:
    registry = Registry()
    registry.add(declared())
    other = JobType(name="reports.export", handler=lambda p, c: None, params_model=Export)
    with pytest.raises(ConfigurationError, match="declared twice"):
        registry.add(other)


def test_the_same_declaration_may_come_twice() -> None:
    registry = Registry()
    registry.add(declared())
    registry.add(declared())
    assert [each.name for each in registry] == ["reports.export"]


def test_queues_of_their_own_are_listed() -> None:
    registry = Registry()
    registry.add(declared("a.b", queue="mail"))
    registry.add(declared("a.c"))
    assert registry.queues() == ["mail"]
    assert registry.celery_queues()[:4] == ["critical", "mail.critical", "high", "mail.high"]
    assert len(registry.celery_queues()) == 8


def test_the_public_names() -> None:
    assert jobs.__all__ == [
        "After",
        "Backoff",
        "Cancel",
        "JobContext",
        "PermanentError",
        "Priority",
        "Retry",
        "Sensitive",
        "Snooze",
        "job_type",
    ]
