from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class UsageConfig(AppConfig):
    name = "usage"
    verbose_name = _("Usage")

    def ready(self) -> None:
        """Count a customer's days again when its time zone changes; customers know no usage."""
        from customers.zones import watch_zones  # noqa: PLC0415 (models are loaded only now)
        from usage.zones import days_move  # noqa: PLC0415

        watch_zones(days_move)
