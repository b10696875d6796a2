"""The site's URLs."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("", include("maintenance.urls")),
    path("admin/", admin.site.urls),
]

handler500 = "jobsite.errors.server_error"
