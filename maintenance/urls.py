"""The app's URLs, at the root of the site: probes are set up before the site's paths are known."""

from django.urls import path

from maintenance import views

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
]
