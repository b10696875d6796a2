"""What our lists share, and those of large tables: to look at, and never counted to the end."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse

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

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list."""
        title = {"title": str(self.opts.verbose_name_plural).capitalize()}
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
