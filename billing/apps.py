from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = _("Billing")

    def ready(self) -> None:
        """Let previews of corrections show what they change on invoices; usage itself knows no money."""
        from billing.rating.corrections import watch_adjustments  # noqa: PLC0415 (models are loaded only now)
        from usage.corrections.previewing import watch  # noqa: PLC0415

        watch(watch_adjustments)
