"""Deliveries and subscriptions to events over HTTP."""

from notifications.api import deliveries, webhooks

routers = {"/deliveries": deliveries.router, "/webhooks": webhooks.router}
