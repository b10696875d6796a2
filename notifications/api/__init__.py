"""Deliveries and subscriptions to events over HTTP."""

from notifications.api import deliveries, webhook_deliveries, webhooks

routers = {
    "/deliveries": deliveries.router,
    "/webhooks": webhooks.router,
    "/webhooks/{uuid:webhook_id}": webhook_deliveries.router,
}
