"""Wiring at start."""

from celery import current_app
from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules


class JobsConfig(AppConfig):
    """The job engine."""

    name = "jobs"
    in_roles = True
    verbose_name = "Jobs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Find the job types of every installed app, and plug the parts together.

        Raises:
            SystemExit: a setting or a job type is declared wrongly; the message says which.
        """
        from jobs.domain.errors import ConfigurationError

        try:
            self._wire()
        except ConfigurationError as error:
            raise SystemExit(f"the site cannot start: {error}") from None

    @staticmethod
    def _wire() -> None:
        from jobs.conf import jobs_settings
        from jobs.domain import ports
        from jobs.runtime.metrics import start_counting
        from jobs.selectors.queues import check_queue_names
        from jobs.services.bulk import submit_many
        from jobs.services.roles import make_groups
        from jobs.services.submission import submit

        jobs_settings()
        ports.plug_submitters(submit, submit_many)
        start_counting()
        autodiscover_modules("jobs")
        check_queue_names()

        post_migrate.connect(make_groups, dispatch_uid="jobs.roles")

        from jobs.backends import signals  # noqa: F401 - connects to Celery's worker
        from jobs.tasks import register_job_types

        register_job_types(current_app)
