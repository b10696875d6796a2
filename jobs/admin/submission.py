"""The page that submits a job."""

from datetime import timedelta
from typing import Any, Final, cast

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import AdminForm
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from jobs.admin.parameters import AsksForParameters, asking_for
from jobs.admin.tenancy import tenant_of
from jobs.admin.type_choice import chosen_type, told_of_type, type_choice_page, wants_json
from jobs.domain.backoff import LONGEST_WAIT
from jobs.domain.errors import DuplicateJob, SubmissionError
from jobs.domain.options import MAX_KEY_LENGTH
from jobs.domain.priority import Priority
from jobs.domain.registry import registry
from jobs.domain.submission import Submission
from jobs.models import Job
from jobs.services.audit import record
from jobs.services.submission import submit

_LONGEST_SECONDS: Final = int(LONGEST_WAIT.total_seconds())
_TITLE: Final = "Submit a job"


class SubmissionForm(AsksForParameters, forms.Form):
    """A job's parameters, and the options that people use by hand."""

    priority = forms.ChoiceField(
        required=False,
        choices=[("", "The job type's own"), *((each.label, each.label) for each in Priority)],
    )
    delay = forms.IntegerField(
        label="Run after",
        required=False,
        min_value=0,
        max_value=_LONGEST_SECONDS,
        help_text="Seconds from now; empty for at once.",
    )
    idempotency_key = forms.CharField(
        required=False,
        max_length=MAX_KEY_LENGTH,
        widget=forms.TextInput({"class": "vTextField"}),
        help_text="A second submission of the same type with the same key finds the first job.",
    )

    def submit(self, request: HttpRequest) -> Submission | None:
        """Submit the job, or put what is wrong on its field and return None."""
        told = self.cleaned_data
        delay = told["delay"]
        try:
            with transaction.atomic():
                submission = submit(
                    self.type_name,
                    told["params"],
                    priority=told["priority"] or None,
                    delay=None if delay is None else timedelta(seconds=delay),
                    idempotency_key=told["idempotency_key"] or None,
                    trigger=Job.Trigger.MANUAL,
                    created_by_id=request.user.pk,
                    tenant=tenant_of(request),
                )
                if not submission.duplicate:
                    self._record(request, submission)
        except DuplicateJob as error:
            self.add_error("idempotency_key", str(error))
        except SubmissionError as error:
            self.add_error(None, str(error))
        else:
            return submission
        return None

    def _record(self, request: HttpRequest, submission: Submission) -> None:
        actor, job_id = request.user.get_username(), submission.job_id
        record(
            actor=actor, action="job.submit", target_type="job", target_id=job_id,
            tenant=tenant_of(request),
        )  # fmt: skip


def submission_page(admin: "ModelAdmin[Job]", request: HttpRequest) -> HttpResponse:
    """Have a type chosen; show its form, or submit what it holds and go to the job."""
    name = chosen_type(request)
    if name not in registry:
        return type_choice_page(admin, request, title=_TITLE, unknown=name)
    asks = asking_for(name, SubmissionForm, as_json=wants_json(request))
    form = asks(request.POST if request.method == "POST" else None)
    submission = form.submit(request) if form.is_valid() else None
    if submission is None:
        context = {**told_of_type(request, name), **_context(admin, request, form)}
        return TemplateResponse(request, "admin/jobs/job/submit.html", context)
    text = "That key has a job already." if submission.duplicate else "The job is accepted."
    level = messages.WARNING if submission.duplicate else messages.SUCCESS
    admin.message_user(request, text, level)
    address = reverse(f"{admin.admin_site.name}:jobs_job_change", args=[submission.job_id])
    return HttpResponseRedirect(address)


def _context(
    admin: "ModelAdmin[Job]", request: HttpRequest, form: SubmissionForm
) -> dict[str, Any]:
    fieldsets: Any = [
        form.fieldset(),
        ("Options", {"fields": ["priority", "delay", "idempotency_key"]}),
    ]
    return {
        **admin.admin_site.each_context(request),
        "title": _TITLE,
        "opts": admin.opts,
        "adminform": AdminForm(cast(Any, form), fieldsets, {}),
        "errors": form.errors,
        "media": admin.media,
    }
