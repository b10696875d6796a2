"""How many jobs have been removed, so that the ledger can account for them."""

from typing import ClassVar

from django.db import models

from jobs.domain.states import FINAL


class Removal(models.Model):
    """So many final jobs were removed on a day."""

    day = models.DateField()
    state = models.CharField(max_length=10, choices=[(s.value, s.value) for s in sorted(FINAL)])
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["day", "state"], name="removal_day_state")
        ]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.day}: {self.count} {self.state}"
