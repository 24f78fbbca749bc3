from django.db import models
from django.utils.translation import gettext_lazy as _


class BillingRun(models.Model):
    """One walk through all that was due at an instant: what it made, and whether it ended."""

    as_of = models.DateTimeField(_("as of"))
    finalize = models.BooleanField(_("finalises"), default=False)
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    drafted_count = models.PositiveIntegerField(_("drafted"), default=0)
    finalized_count = models.PositiveIntegerField(_("finalised"), default=0)
    failed_count = models.PositiveIntegerField(_("failed"), default=0)
    parked_count = models.PositiveIntegerField(_("parked"), default=0)

    class Meta:
        verbose_name = _("billing run")
        verbose_name_plural = _("billing runs")

    def __str__(self) -> str:
        return f"{self.as_of:%Y-%m-%d %H:%M}"
