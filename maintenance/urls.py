"""The app's URLs, at the root of the site, where probes and Prometheus look by default."""

from django.urls import path

from maintenance import views
from maintenance.metrics import metrics

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("livez", views.healthz, name="livez"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
]
