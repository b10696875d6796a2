"""What our lists share, and those of large tables: to look at, and never counted to the end."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse

from jobs.admin.tenancy import own, tenant_of

if TYPE_CHECKING:
    _Paginator = Paginator[Any]
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _Paginator = Paginator
    _ModelAdmin = admin.ModelAdmin

#: Rows that a list counts and pages through; beyond them, filters are quicker than pages.
MOST_COUNTED = 10_000


class BoundedPaginator(_Paginator):
    """Counts no further than `MOST_COUNTED` rows, so that a list of millions opens as quickly."""

    @cached_property
    def count(self) -> int:
        """The number of rows that the pages reach."""
        return min(self._counted, MOST_COUNTED)

    @property
    def is_cut(self) -> bool:
        """Whether there are more rows than the pages reach."""
        return self._counted > MOST_COUNTED

    @cached_property
    def _counted(self) -> int:
        rows = self.object_list
        if isinstance(rows, QuerySet):
            return rows.order_by()[: MOST_COUNTED + 1].count()
        return len(rows[: MOST_COUNTED + 1])


class ListAdmin(_ModelAdmin):
    """A list in the manner of this site: of one length, and titled by what is in it."""

    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    #: The column with the tenant's slug; None: the rows are the site's, and no tenant's.
    tenant_column: str | None = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows that the user may see."""
        return own(request, super().get_queryset(request), by=self.tenant_column)

    def is_for(self, request: HttpRequest) -> bool:
        """Return whether the rows can be the user's: what is the site's is no tenant's."""
        return self.tenant_column is not None or not tenant_of(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whoever may see any of it."""
        return self.is_for(request) and super().has_module_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever may, of those it is for."""
        return self.is_for(request) and super().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whoever may, of those it is for."""
        return self.is_for(request) and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever may, of those it is for."""
        return self.is_for(request) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever may, of those it is for."""
        return self.is_for(request) and super().has_delete_permission(request, obj)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list."""
        plural = str(self.opts.verbose_name_plural)
        title = {"title": plural[:1].upper() + plural[1:]}
        return super().changelist_view(request, {**title, **(extra_context or {})})


class ReadOnlyAdmin(ListAdmin):
    """Rows that only services write: they can be seen, not added, changed or deleted."""

    paginator = BoundedPaginator
    show_full_result_count = False
    list_max_show_all = 0
    view_on_site = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody changes."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody deletes."""
        return False
