"""Webhooks over HTTP: signed by who sends them, each becomes a job."""

from http import HTTPStatus
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Router, Status

from jobs.domain import wire
from jobs.services.hooks import receive

router = Router(tags=["webhooks"], by_alias=True)
_NAME = Annotated[str, Path(max_length=50, pattern=r"^[a-z][a-z0-9-]*$")]
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}


@router.post(
    "/{source}",
    auth=None,
    response={202: wire.Accepted, 200: wire.Accepted},
    operation_id="receiveWebhook",
    summary="Receive a webhook",
    openapi_extra=_BODY,
)
def receive_webhook(request: HttpRequest, source: _NAME) -> Status[dict[str, Any]]:
    """Make a job of a webhook of GitHub, GitLab or whoever keeps to Standard Webhooks.

    Its signature is what lets it in. A delivery that is repeated is the same job, and is answered
    by 200.
    """
    headers = {name.lower(): value for name, value in request.headers.items()}
    accepted = receive(source, headers=headers, body=request.body)
    status = HTTPStatus.OK if accepted.duplicate else HTTPStatus.ACCEPTED
    return Status(status, accepted.as_json())
