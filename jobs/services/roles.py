"""The roles as Django groups, with the permissions that the admin's pages ask for."""

from typing import Any

from django.apps import AppConfig, apps
from django.contrib.auth.models import Group, Permission
from django.db.models import Q

from jobs.domain.access import Role

_OPERATOR = ("submit_job", "cancel_job", "retry_job", "trigger_schedule", "pause_queue",
             "cancel_batch", "reset_breaker")  # fmt: skip
#: What only admins look at.
_NOT_FOR_VIEWERS = ("view_auditentry", "view_apikey", "view_hooksource", "view_tenantmember")


def make_groups(app_config: AppConfig, using: str, **_: Any) -> None:
    """Have a group of each role's name hold at least the role's permissions.

    A receiver of `post_migrate`: permissions come with their app's migrations. What someone has
    given to a group beyond that stays.
    """
    labels = _labels()
    if app_config.label != labels[-1]:  # all of their permissions are there by then
        return
    ours = Permission.objects.using(using).filter(content_type__app_label__in=labels)
    wanted = {
        Role.VIEWER: _viewing(),
        Role.OPERATOR: _viewing() | Q(codename__in=_OPERATOR),
        Role.ADMIN: Q(),
    }
    for role, condition in wanted.items():
        group, _made = Group.objects.using(using).get_or_create(name=role.value)
        group.permissions.add(*ours.filter(condition))


def _viewing() -> Q:
    return Q(codename__startswith="view_") & ~Q(codename__in=_NOT_FOR_VIEWERS)


def _labels() -> list[str]:
    """Return the apps whose rows the roles are about: those whose configuration says so."""
    return [each.label for each in apps.get_app_configs() if getattr(each, "in_roles", False)]
