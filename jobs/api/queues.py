"""The queues over HTTP: what waits in them; pausing and resuming them."""

from typing import Annotated, Any

from ninja import Path, Router

from jobs.api.authentication import ApiRequest, needs, of_the_site
from jobs.domain import wire
from jobs.domain.access import Scope
from jobs.public import pause_queue, resume_queue
from jobs.selectors.describe import describe_queue
from jobs.selectors.queues import queues

router = Router(tags=["queues"], by_alias=True)
_NAME = Annotated[str, Path(max_length=60, pattern=r"^[a-z][a-z0-9_.-]*$")]


@router.get(
    "",
    auth=needs(Scope.READ),
    response=list[wire.Queue],
    operation_id="listQueues",
    summary="List the queues",
)
def list_queues(request: ApiRequest) -> list[dict[str, Any]]:
    """Return every queue, in the order of taking; a tenant's key counts its own jobs alone."""
    return [describe_queue(queue) for queue in queues(tenant=request.auth.tenant)]


@router.post(
    "/{name}/pause",
    auth=needs(Scope.STEER),
    response=wire.Steered,
    operation_id="pauseQueue",
    summary="Pause a queue",
)
def pause(request: ApiRequest, name: _NAME) -> dict[str, Any]:
    """Have no job of the queue taken any more; those that run go on. `all` names all of them."""
    of_the_site(request)
    return {"queues": pause_queue(name, actor=request.auth.name)}


@router.post(
    "/{name}/resume",
    auth=needs(Scope.STEER),
    response=wire.Steered,
    operation_id="resumeQueue",
    summary="Resume a queue",
)
def resume(request: ApiRequest, name: _NAME) -> dict[str, Any]:
    """Have the queue's jobs taken again."""
    of_the_site(request)
    return {"queues": resume_queue(name, actor=request.auth.name)}
