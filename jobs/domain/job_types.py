"""What a job type is: a handler, the model of its parameters, and its options."""

import inspect
import json
import re
import typing
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any, Unpack

from pydantic import BaseModel, ConfigDict, PydanticUserError, ValidationError
from pydantic_core import ErrorDetails, to_json

from jobs.domain import ports
from jobs.domain.backoff import Backoff
from jobs.domain.context import Handler, JobContext
from jobs.domain.errors import ConfigurationError, InvalidOption, InvalidParameters
from jobs.domain.lengths import checked_length
from jobs.domain.options import SubmitOptions
from jobs.domain.priority import Priority
from jobs.domain.sensitive import holds_sensitive
from jobs.domain.submission import BulkSubmission, NewJob, Submission
from jobs.domain.unique import Unique, checked_unique

_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")
_QUEUE = re.compile(r"[a-z][a-z0-9_-]{0,39}")
MAX_NAME_LENGTH = 100
_LONGEST_SERVICE = 100


class NoParams(BaseModel):
    """The model of a job type that takes no parameters."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobType:
    """A kind of job, as `@job_type` declared it.

    Options that are None follow the site's settings (`jobs.conf`); a single job's own options win
    over both.

    Attributes:
        name: `app.action`, unique in the site.
        handler: `handler(params, ctx)`.
        params_model: checks the parameters at submission and again in the worker.
        queue: the type's own queue; empty for the site's four.
        priority: used when neither the submission nor the decider names one.
        max_attempts: every run counts, the first included.
        timeout: of one attempt.
        backoff: the wait after a failed attempt.
        permanent_errors: exceptions of the handler's that no retry can help.
        retry_on_timeout: whether an attempt that timed out is tried again.
        expires_in: a job that has not started so long after it may run fails as expired; None: it
            waits for as long as it takes.
        concurrency: so many of its jobs run at once, at most, over all workers; None: any number.
        unique: there is no other job of the type with the same parameters until it starts
            (`waiting`), until it ends (`active`), or for so long; None: there may be any number.
        result_ttl: a job of the type with the same parameters that runs, or that completed no
            longer ago than this, answers for a new one, which is not run; None: each is run.
        concurrency_per_key: so many of its jobs with the same concurrency key run at once, at most,
            over all workers; None: the type has no such keys.
        concurrency_key: makes the key of a job's parameters, for submissions that name none; an
            empty one is no key.
        service: the outside service that its handler needs, or a function that names it by the
            parameters: its jobs are put off while that fails again and again; empty: none.
        description: for people; the first line of the handler's docstring unless given.
    """

    name: str
    handler: Handler
    params_model: type[BaseModel]
    queue: str = ""
    priority: Priority = Priority.NORMAL
    max_attempts: int | None = None
    timeout: timedelta | None = None
    backoff: Backoff | None = None
    permanent_errors: tuple[type[BaseException], ...] = ()
    retry_on_timeout: bool = True
    expires_in: timedelta | None = None
    concurrency: int | None = None
    unique: Unique | None = None
    result_ttl: timedelta | None = None
    concurrency_per_key: int | None = None
    concurrency_key: Callable[[Any], str] | None = None
    service: str | Callable[[Any], str] = ""
    description: str = ""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or len(self.name) > MAX_NAME_LENGTH:
            raise ConfigurationError(
                f"job type name {self.name!r} must be 'app.action': lower-case letters, digits and "
                f"underscores with a dot between, at most {MAX_NAME_LENGTH} characters"
            )
        if self.queue and not _QUEUE.fullmatch(self.queue):
            raise ConfigurationError(
                f"queue {self.queue!r} of job type {self.name} must be at most 40 lower-case "
                "letters, digits, '-' and '_', and begin with a letter"
            )
        if _holds_a_secret(self.params_model):
            raise ConfigurationError(
                f"the parameters of job type {self.name} hold a SecretStr or SecretBytes, which "
                "would be stored as asterisks: mark the field as jobs.Sensitive[str], which is "
                "encrypted, or take the name of a secret, and read it in the handler"
            )
        self._check_options()

    def _check_options(self) -> None:
        try:
            checked_unique(self.unique)
            checked_length("result_ttl", self.result_ttl)
        except InvalidOption as error:
            raise ConfigurationError(f"job type {self.name}: {error}") from None
        if self.unique is not None and self.result_ttl is not None:
            raise ConfigurationError(
                f"job type {self.name} has unique and result_ttl, of which each says which job "
                "answers for another: declare one of them"
            )
        if self.concurrency_key is not None and self.concurrency_per_key is None:
            raise ConfigurationError(
                f"job type {self.name} has a concurrency_key and no concurrency_per_key: say how "
                "many with the same key may run at once"
            )
        for option in ("max_attempts", "concurrency", "concurrency_per_key"):
            number = getattr(self, option)
            if number is not None and number < 1:
                raise ConfigurationError(
                    f"{option} of job type {self.name} must be at least 1, not {number}"
                )
        for option in ("timeout", "expires_in"):
            length = getattr(self, option)
            if length is not None and length <= timedelta(0):
                raise ConfigurationError(
                    f"{option} of job type {self.name} must be more than 0, not {length}"
                )

    @property
    def sensitive(self) -> bool:
        """Whether a field of its parameters is marked `Sensitive`."""
        return _is_sensitive(self.params_model)

    def service_of(self, params: BaseModel) -> str:
        """Return the outside service that a job needs; empty for none."""
        service = self.service(params) if callable(self.service) else self.service
        return service[:_LONGEST_SERVICE]

    def __call__(self, params: Any, ctx: JobContext) -> Any:
        """Call the handler itself, as a plain function."""
        return self.handler(params, ctx)

    def submit(
        self, params: BaseModel | dict[str, Any] | None = None, **options: Unpack[SubmitOptions]
    ) -> Submission:
        """Submit a job of this type; the options are those of `jobs.public.submit`."""
        one, _ = ports.submitters()
        return one(self.name, params, **options)

    def submit_many(
        self,
        params: Iterable[BaseModel | dict[str, Any] | None],
        **options: Unpack[SubmitOptions],
    ) -> BulkSubmission:
        """Submit many jobs of this type that share their options: see `jobs.public.submit_many`."""
        _, many = ports.submitters()
        return many(NewJob(self.name, each, options) for each in params)

    def parse(self, params: BaseModel | dict[str, Any] | None) -> BaseModel:
        """Return the parameters as the type's model.

        Raises:
            InvalidParameters: they do not fit; each problem comes with its path.
        """
        raw = as_fields(params) if isinstance(params, BaseModel) else (params or {})
        # By both, since they are stored by name, however people are to write them.
        return self._parsed(
            lambda: self.params_model.model_validate(raw, by_alias=True, by_name=True)
        )

    def parse_json(self, params: dict[str, Any]) -> BaseModel:
        """Return parameters that came as JSON as the type's model, without guessing.

        Text is not taken for a number, nor a number for a truth: what the model's JSON Schema
        refuses is refused.

        Raises:
            InvalidParameters: they do not fit; each problem comes with its path.
        """
        text = to_json(params)
        return self._parsed(
            lambda: self.params_model.model_validate_json(
                text, strict=True, by_alias=True, by_name=True
            )
        )

    def _parsed(self, parse: Callable[[], BaseModel]) -> BaseModel:
        try:
            return parse()
        except ValidationError as error:
            problems = [
                (".".join(str(part) for part in one["loc"]), self._told(one))
                for one in error.errors(include_url=False, include_input=False)
            ]
            raise InvalidParameters(self.name, problems) from None
        except RecursionError:
            raise InvalidParameters(self.name, [("", "nested too deeply")]) from None

    def _told(self, problem: ErrorDetails) -> str:
        known = _names_beside(self.params_model, problem["loc"])
        if problem["type"] != "extra_forbidden" or known is None:
            return problem["msg"]
        return f"is unknown; {'use one of: ' + ', '.join(known) if known else 'there are none'}"


def _names_beside(model: type[BaseModel], place: tuple[str | int, ...]) -> list[str] | None:
    """Return the fields of the model in which the place is; None if that is no single model."""
    for part in place[:-1]:
        field = model.model_fields.get(str(part))
        inner = field.annotation if field else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return None
        model = inner
    return list(model.model_fields)


_is_sensitive = cache(holds_sensitive)


def _holds_a_secret(model: type[BaseModel]) -> bool:
    try:
        schema = model.model_json_schema()
    except PydanticUserError:  # it has a type without a schema
        return False
    return '"format": "password"' in json.dumps(schema, default=str)


def as_fields(params: BaseModel) -> dict[str, Any]:
    """Return the parameters by their fields' names, without what the model computes itself."""
    return params.model_dump(by_alias=False, round_trip=True)


def params_model_of(name: str, handler: Callable[..., Any]) -> type[BaseModel]:
    """Return the pydantic model that annotates the handler's first argument.

    Raises:
        ConfigurationError: the handler does not take `(params, ctx)`, or `params` has no model.
    """
    if inspect.iscoroutinefunction(handler):
        raise ConfigurationError(
            f"the handler of job type {name} is async, and workers call handlers plainly: wrap it "
            "with asgiref.sync.async_to_sync"
        )
    names = list(inspect.signature(handler).parameters)
    if len(names) != 2:
        raise ConfigurationError(
            f"the handler of job type {name} takes ({', '.join(names)}); it must take (params, ctx)"
        )
    annotation = typing.get_type_hints(handler).get(names[0], NoParams)
    if annotation is None or annotation is type(None):
        return NoParams
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        raise ConfigurationError(
            f"the handler of job type {name} must annotate {names[0]!r} with a pydantic model, "
            f"not {annotation!r}"
        )
    return annotation
