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

from jobs.admin.parameters import ParamsField, problems, skeleton, type_choices, types_help
from jobs.domain.backoff import LONGEST_WAIT
from jobs.domain.errors import DuplicateJob, InvalidParameters, SubmissionError, UnknownJobType
from jobs.domain.options import MAX_KEY_LENGTH
from jobs.domain.priority import Priority
from jobs.domain.submission import Submission
from jobs.models import Job
from jobs.services.audit import record
from jobs.services.submission import submit

_LONGEST_SECONDS: Final = int(LONGEST_WAIT.total_seconds())


class SubmissionForm(forms.Form):
    """A job type, its parameters, and the options that people use by hand."""

    job_type = forms.ChoiceField(choices=type_choices)
    params = ParamsField(label="Parameters", required=False)
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
        help_text="A second submission of the same type with the same key finds the first job.",
    )

    def submit(self, request: HttpRequest) -> Submission | None:
        """Submit the job, or put what is wrong on its field and return None."""
        told = self.cleaned_data
        delay = told["delay"]
        try:
            with transaction.atomic():
                submission = submit(
                    told["job_type"],
                    told["params"],
                    priority=told["priority"] or None,
                    delay=None if delay is None else timedelta(seconds=delay),
                    idempotency_key=told["idempotency_key"] or None,
                    trigger=Job.Trigger.MANUAL,
                    created_by_id=request.user.pk,
                )
                if not submission.duplicate:
                    self._record(request, submission)
        except InvalidParameters as error:
            self.add_error("params", problems(error))
        except DuplicateJob as error:
            self.add_error("idempotency_key", str(error))
        except UnknownJobType as error:
            self.add_error("job_type", str(error))
        except SubmissionError as error:
            self.add_error(None, str(error))
        else:
            return submission
        return None

    def _record(self, request: HttpRequest, submission: Submission) -> None:
        actor, job_id = request.user.get_username(), submission.job_id
        record(actor=actor, action="job.submit", target_type="job", target_id=job_id)


def submission_page(admin: "ModelAdmin[Job]", request: HttpRequest) -> HttpResponse:
    """Show the form, or submit what it holds and go to the job."""
    site = admin.admin_site
    if request.method == "POST":
        form = SubmissionForm(request.POST)
        submission = form.submit(request) if form.is_valid() else None
        if submission is not None:
            text = "That key has a job already." if submission.duplicate else "The job is accepted."
            level = messages.WARNING if submission.duplicate else messages.SUCCESS
            admin.message_user(request, text, level)
            address = reverse(f"{site.name}:jobs_job_change", args=[submission.job_id])
            return HttpResponseRedirect(address)
    else:
        name = request.GET.get("job_type", "")
        form = SubmissionForm(initial={"job_type": name, "params": skeleton(name)})
    return TemplateResponse(request, "admin/jobs/job/submit.html", _context(admin, request, form))


def _context(
    admin: "ModelAdmin[Job]", request: HttpRequest, form: SubmissionForm
) -> dict[str, Any]:
    return {
        **admin.admin_site.each_context(request),
        "title": "Submit a job",
        "opts": admin.opts,
        "adminform": AdminForm(cast(Any, form), [(None, {"fields": list(form.fields)})], {}),
        "errors": form.errors,
        "types": types_help(),
        "chosen": form["job_type"].value() or "",
        "media": admin.media,
    }
