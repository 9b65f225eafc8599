"""A webhook as the API shows it."""

from aiops.contract import models
from aiops.database.tables import Webhook


def present(webhook: Webhook) -> models.Webhook:
    return models.Webhook.model_validate(
        {
            "id": webhook.id,
            "url": webhook.url,
            "events": webhook.events,
            "status": "active" if webhook.disabled_at is None else "disabled",
            "reason": webhook.disabled_reason,
            "created_at": webhook.created_at,
        }
    )
