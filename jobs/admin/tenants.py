"""The tenants, and who sees one of them alone."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from jobs.admin.read_only import ListAdmin
from jobs.models import Tenant, TenantMember
from jobs.services import tenants


@admin.register(Tenant)
class TenantAdmin(ListAdmin):
    """Tenants are written through `jobs.services.tenants`, so that the audit log knows."""

    list_display = ("slug", "name", "at_once", "ready", "users")
    search_fields = ("slug", "name")
    ordering = ("slug",)
    fields = ("slug", "name", "max_running", "max_ready")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tenant]:
        """Return the tenants, with how many users see each alone."""
        found: QuerySet[Tenant] = super().get_queryset(request)
        return found.annotate(users_of_it=Count("members"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A slug never changes: jobs name their tenant by it."""
        return ("slug",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes: its jobs would be nobody's."""
        return False

    def save_model(self, request: HttpRequest, obj: Tenant, form: Any, change: bool) -> None:
        """Store the tenant, and say who did."""
        actor = request.user.get_username()
        wanted = {name: getattr(obj, name) for name in ("name", "max_running", "max_ready")}
        if change:
            tenants.change_tenant(tenants.get_tenant(obj.slug), actor=actor, **wanted)
        else:
            tenants.create_tenant(obj.slug, actor=actor, **wanted)

    @admin.display(description="at once", ordering="max_running", empty_value="any number")
    def at_once(self, tenant: Tenant) -> int | None:
        """Return how many of its jobs run at once."""
        return tenant.max_running

    @admin.display(description="ready", ordering="max_ready", empty_value="any number")
    def ready(self, tenant: Tenant) -> int | None:
        """Return how many of its jobs may wait."""
        return tenant.max_ready

    @admin.display(description="users", ordering="users_of_it")
    def users(self, tenant: Any) -> int:
        """Return how many users see it alone."""
        return int(tenant.users_of_it)


@admin.register(TenantMember)
class TenantMemberAdmin(ListAdmin):
    """Who sees one tenant alone."""

    list_display = ("user", "tenant")
    list_filter = ("tenant",)
    list_select_related = ("user", "tenant")
    autocomplete_fields = ("user", "tenant")
    ordering = ("tenant", "user")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes one: it is taken away, and another made."""
        return False

    def save_model(self, request: HttpRequest, obj: TenantMember, form: Any, change: bool) -> None:
        """Store it, and say who did."""
        tenants.put_member(obj.user, obj.tenant, actor=request.user.get_username())
        obj.pk = TenantMember.objects.get(user=obj.user).pk

    def delete_model(self, request: HttpRequest, obj: TenantMember) -> None:
        """Have the user see everything again, as its roles allow."""
        tenants.put_member(obj.user, None, actor=request.user.get_username())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[TenantMember]) -> None:
        """Have the users see everything again."""
        for member in queryset:
            self.delete_model(request, member)
