"""The API as a whole: its routers, its errors and its OpenAPI document."""

from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version
from typing import Any, Final

from django.apps import apps
from django.utils.module_loading import module_has_submodule
from ninja import NinjaAPI, Router
from ninja.openapi.schema import OpenAPISchema

from jobs.api import (
    batches,
    bulk,
    dead_letters,
    figures,
    hooks,
    jobs,
    problems,
    queues,
    schedules,
    streaming,
    tokens,
    workers,
)
from jobs.api.authentication import known_alone
from jobs.api.parsing import StorableJson
from jobs.api.rendering import ExactJson
from jobs.domain import wire
from jobs.domain.job_types import JobType
from jobs.domain.registry import registry
from jobs.selectors.describe import params_schema

_DESCRIPTION = """\
Submit jobs, look at them and steer them.

Send an API key as `Authorization: Bearer jsk_…`. Times are ISO 8601 in UTC, lengths of time are in
seconds. Every error is `application/problem+json`; its `code` stays the same across versions.
"""
#: What every operation may answer beside its own.
_ERRORS = {
    400: "What was sent is wrong; `errors` says where.",
    401: "No valid key was sent.",
    403: "The key may not do this.",
    404: "There is no such thing, or the key may not see it.",
    409: "The state of things does not allow it.",
    413: "The body is too large.",
    422: "What was sent can be read, and not be stored: it is too large or nested too deeply.",
    429: "There is no room, or too much was sent; `Retry-After` says how long to wait.",
    503: "The database is away; `Retry-After` says how long to wait.",
}


_ROUTERS: Final[list[tuple[str, Router]]] = [
    ("/jobs", jobs.router),
    ("/jobs/bulk", bulk.router),
    ("/jobs", figures.router),
    ("/jobs", streaming.router),
    ("/jobs/workers", workers.router),
    ("/jobs/schedules", schedules.router),
    ("/batches", batches.router),
    ("/dead-letters", dead_letters.router),
    ("/queues", queues.router),
    ("/token", tokens.router),
    ("/hooks", hooks.router),
]


class JobsiteApi(NinjaAPI):
    """Writes into its OpenAPI document what ninja does not know of."""

    def get_openapi_schema(self, **kwargs: Any) -> OpenAPISchema:
        """Return the document, with the errors, and each job type's own parameters."""
        document = super().get_openapi_schema(**kwargs)
        _tell_of_errors(document)
        _tell_of_types(document)
        return document


def make_api() -> NinjaAPI:
    """Return the API with all its operations."""
    api = JobsiteApi(
        title="Jobsite",
        version=version("jobsite"),
        description=_DESCRIPTION,
        urls_namespace="api",
        docs_decorator=known_alone,
        parser=StorableJson(),
        renderer=ExactJson(),
    )
    problems.handle_errors(api)
    for prefix, router in _ROUTERS:
        api.add_router(prefix, router)
    for prefix, router in _of_the_products():
        api.add_router(prefix, router)
    return api


def _of_the_products() -> Iterator[tuple[str, Router]]:
    """Yield the routers in the `api` module of each installed app that has any, by their prefix."""
    for config in apps.get_app_configs():
        if config.name != "jobs" and module_has_submodule(config.module, "api"):
            module = import_module(f"{config.name}.api")
            yield from getattr(module, "routers", {}).items()


def _operations(document: OpenAPISchema) -> Iterator[dict[str, Any]]:
    for methods in document["paths"].values():
        yield from methods.values()


def _tell_of_errors(document: OpenAPISchema) -> None:
    schemas = document["components"]["schemas"]
    told = wire.ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(told.pop("$defs"))
    schemas["ProblemDetails"] = told
    content = {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    for operation in _operations(document):
        for status, description in _ERRORS.items():
            error = {"description": description, "content": content}
            operation["responses"].setdefault(status, error)


def _tell_of_types(document: OpenAPISchema) -> None:
    """Have a submission be one of the job types', each with its parameters' schema."""
    schemas = document["components"]["schemas"]
    general = schemas["JobIn"]
    references = {}
    for job_type in registry:
        name = f"JobIn_{job_type.name}"
        schemas[name] = _submission_of(job_type, general, schemas)
        references[job_type.name] = f"#/components/schemas/{name}"
    if references:
        schemas["JobIn"] = {
            "title": general["title"],
            "description": general.get("description", ""),
            "oneOf": [{"$ref": reference} for reference in references.values()],
            "discriminator": {"propertyName": "type", "mapping": references},
        }


def _submission_of(
    job_type: JobType, general: dict[str, Any], schemas: dict[str, Any]
) -> dict[str, Any]:
    own = params_schema(job_type)
    properties = {**general["properties"], "type": {"const": job_type.name, "type": "string"}}
    required = ["type"]
    if own is not None:
        params = f"Params_{job_type.name}"
        schemas[params] = _moved(own, params, schemas)
        properties["params"] = {"$ref": f"#/components/schemas/{params}"}
        if own.get("required"):
            required.append("params")
    return {
        **general,
        "title": job_type.name,
        "description": job_type.description,
        "properties": properties,
        "required": required,
    }


def _moved(schema: dict[str, Any], name: str, schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the schema with its definitions moved among the document's, under names of its own."""
    definitions = schema.pop("$defs", {})
    for key, definition in definitions.items():
        schemas[f"{name}.{key}"] = _referring(definition, name)
    moved: dict[str, Any] = _referring(schema, name)
    return moved


def _referring(value: Any, name: str) -> Any:
    if isinstance(value, list):
        return [_referring(each, name) for each in value]
    if not isinstance(value, dict):
        return value
    told = {key: _referring(each, name) for key, each in value.items()}
    reference = told.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/$defs/"):
        told["$ref"] = f"#/components/schemas/{name}.{reference.removeprefix('#/$defs/')}"
    return told
