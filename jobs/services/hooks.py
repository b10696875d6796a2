"""Webhooks that others send: keeping who may, and making a job of each."""

import base64
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from jobs.domain.errors import HookNotFound, InvalidAccess, InvalidParameters
from jobs.domain.hooks import HookDelivery, HookKind, check_secret, verified
from jobs.domain.job_types import JobType
from jobs.domain.registry import registry
from jobs.domain.submission import Submission
from jobs.models import HookSource
from jobs.selectors.tenants import is_known
from jobs.services.audit import record
from jobs.services.encryption import open_text, seal_text
from jobs.services.submission import submit

_PURPOSE = "hooks"
_NAME_FORM = re.compile(r"[a-z][a-z0-9-]{0,49}")
_RECEIVED_KNOWN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class NewHookSource:
    """A source that was just made, or has a new secret.

    Attributes:
        source: its row.
        secret: what the sender is to be given; it is shown this once.
    """

    source: HookSource
    secret: str


def create_source(
    name: str,
    *,
    kind: HookKind | str,
    job_type: str,
    actor: str,
    secret: str | None = None,
    tenant: str = "",
) -> NewHookSource:
    """Let someone send webhooks to `/api/hooks/<name>`.

    Args:
        name: for the address: lower-case letters, digits and dashes.
        kind: who sends: see `HookKind`.
        job_type: what each becomes: a job type that takes a `HookDelivery`.
        actor: who does it, for the audit log.
        secret: what the sender signs by; None: a new one.
        tenant: whose the jobs are.

    Raises:
        UnknownJobType: there is no such job type.
        InvalidAccess: one of these cannot be used.
    """
    try:
        kind = HookKind(kind)
    except ValueError:
        raise InvalidAccess(
            f"there is no kind of webhook {str(kind)[:40]!r}; use {', '.join(HookKind)}"
        ) from None
    _check_type(job_type)
    if tenant and not is_known(tenant):
        raise InvalidAccess(f"there is no tenant {tenant[:60]!r}")
    secret = _new_secret(kind) if secret is None else secret
    check_secret(kind, secret)
    source = HookSource(
        name=name, kind=kind, job_type=job_type, tenant=tenant, secret=seal_text(secret, _PURPOSE)
    )
    _check_name(name)
    with transaction.atomic():
        source.save(force_insert=True)
        _record(source, "hook.create", actor, after={"kind": str(kind), "job_type": job_type})
    return NewHookSource(source, secret)


def rotate_secret(
    source: HookSource, *, actor: str, overlap: timedelta, secret: str | None = None
) -> NewHookSource:
    """Give a source a new secret; the old one holds for as long as the overlap.

    Raises:
        InvalidAccess: the secret cannot be used.
    """
    kind = HookKind(source.kind)
    secret = _new_secret(kind) if secret is None else secret
    check_secret(kind, secret)
    with transaction.atomic():
        source.old_secret, source.old_secret_until = source.secret, timezone.now() + overlap
        source.secret = seal_text(secret, _PURPOSE)
        source.save(update_fields=["secret", "old_secret", "old_secret_until"])
        _record(source, "hook.rotate", actor, until=source.old_secret_until.isoformat())
    return NewHookSource(source, secret)


def switch_source(source: HookSource, *, enabled: bool, actor: str) -> None:
    """Take webhooks from the source, or refuse them as if it were not there."""
    with transaction.atomic():
        if HookSource.objects.filter(pk=source.pk).exclude(enabled=enabled).update(enabled=enabled):
            _record(source, "hook.change", actor, before=not enabled, after=enabled)


def remove_source(source: HookSource, *, actor: str) -> None:
    """Take no more webhooks from it; its jobs stay."""
    with transaction.atomic():
        _record(source, "hook.delete", actor, before={"kind": source.kind})
        source.delete()


def get_source(name: str) -> HookSource:
    """Return the source of that name.

    Raises:
        HookNotFound: there is none.
    """
    found = HookSource.objects.filter(name=name).first()
    if found is None:
        raise HookNotFound(f"there is no source of webhooks {str(name)[:60]!r}")
    return found


def receive(name: str, *, headers: Mapping[str, str], body: bytes) -> Submission:
    """Make a job of a webhook, if it is signed rightly; a repeated delivery is the same job.

    Args:
        name: the source's.
        headers: of the request, by names in lower case.
        body: exactly as it was received.

    Raises:
        HookNotFound: there is no such source, or it is disabled.
        BadHook: it is not signed rightly, or is no JSON object.
        SubmissionError: the job cannot be accepted.
    """
    source = get_source(name)
    if not source.enabled:
        raise HookNotFound(f"there is no source of webhooks {name!r}")
    now = timezone.now()
    hook = verified(
        HookKind(source.kind), secrets=_secrets(source, now), headers=headers, body=body
    )
    params = HookDelivery(
        source=source.name, event=hook.event, delivery_id=hook.delivery_id, payload=hook.payload
    )
    with transaction.atomic():
        submission = submit(
            source.job_type,
            params.model_dump(),
            idempotency_key=f"hook:{source.name}:{hook.delivery_id}",
            tenant=source.tenant,
        )
        if not submission.duplicate:
            record(
                actor=f"webhook {source.name}", action="job.submit", target_type="job",
                target_id=submission.job_id, tenant=source.tenant, event=hook.event,
            )  # fmt: skip
    if source.last_received_at is None or now - source.last_received_at > _RECEIVED_KNOWN:
        HookSource.objects.filter(pk=source.pk).update(last_received_at=now)
    return submission


def _secrets(source: HookSource, now: datetime) -> list[str]:
    held = [source.secret]
    if source.old_secret and source.old_secret_until and source.old_secret_until > now:
        held.append(source.old_secret)
    return [open_text(each, _PURPOSE) for each in held]


def takes_webhooks(job_type: JobType) -> bool:
    """Return whether a webhook can become a job of that type."""
    told = HookDelivery(source="x", event="x", delivery_id="x", payload={})
    try:
        job_type.parse(told.model_dump())
    except InvalidParameters:
        return False
    return set(job_type.params_model.model_fields) >= set(HookDelivery.model_fields)


def _check_type(name: str) -> None:
    if not takes_webhooks(registry.get(name)):
        raise InvalidAccess(
            f"job type {name} cannot take webhooks: its parameters must be a HookDelivery"
        )


def _check_name(name: str) -> None:
    if not isinstance(name, str) or not _NAME_FORM.fullmatch(name):
        raise InvalidAccess(
            f"a source's name is at most 50 lower-case letters, digits and dashes, and begins with "
            f"a letter; not {str(name)[:60]!r}"
        )
    if HookSource.objects.filter(name=name).exists():
        raise InvalidAccess(f"there is a source of webhooks {name} already")


def _new_secret(kind: HookKind) -> str:
    if kind is HookKind.STANDARD:
        return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    return secrets.token_urlsafe(32)


def _record(source: HookSource, action: str, actor: str, **details: object) -> None:
    record(
        actor=actor, action=action, target_type="hooksource", target_id=source.pk,
        tenant=source.tenant, name=source.name, **details,
    )  # fmt: skip
