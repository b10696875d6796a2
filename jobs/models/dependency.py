"""The edges between jobs: which waits for which."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from jobs.domain.dependencies import Verdict


class Dependency(models.Model):
    """One job that another one waits for; a job that waits for none has no row here."""

    class OnFailure(models.TextChoices):
        """What becomes of the one that waits if the other one fails or is cancelled."""

        FAIL = "fail"
        SKIP = "skip"
        CONTINUE = "continue"

    child = models.ForeignKey(
        "jobs.Job", on_delete=models.CASCADE, related_name="dependencies", db_index=False
    )
    #: The one that is waited for. Its row may go before this one does.
    parent = models.ForeignKey(
        "jobs.Job",
        on_delete=models.DO_NOTHING,
        related_name="dependents",
        db_constraint=False,
        db_index=False,
    )
    on_failure = models.CharField(max_length=8, choices=OnFailure.choices, default=OnFailure.FAIL)
    verdict = models.CharField(
        max_length=6,
        blank=True,
        default=Verdict.PENDING,
        choices=[(v.value, v.name) for v in Verdict],
    )
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["child", "parent"], name="dependency_edge"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["parent"], name="dependency_parent"),
            models.Index(
                fields=["child"], condition=Q(verdict=Verdict.PENDING), name="dependency_pending"
            ),
        ]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.child_id} waits for {self.parent_id}: {self.verdict or 'pending'}"
