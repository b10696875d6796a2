"""The site's URLs."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from jobs.api.application import make_api

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("", include("maintenance.urls")),
    path("admin/", admin.site.urls),
    path("api/", make_api().urls),
]

handler500 = "jobsite.errors.server_error"
