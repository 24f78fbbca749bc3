from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = _("Billing")

    def ready(self) -> None:
        """Let previews show what changes on invoices, and open periods hold old events; usage itself knows no money."""
        from billing.rating.corrections import watch_adjustments  # noqa: PLC0415 (models are loaded only now)
        from billing.runs.holding import what_holds  # noqa: PLC0415
        from usage.corrections.previewing import watch  # noqa: PLC0415
        from usage.retention import add_veto  # noqa: PLC0415

        watch(watch_adjustments)
        add_veto(what_holds)
