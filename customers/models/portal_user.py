from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class PortalUser(models.Model):
    """A person's access to one customer's portal; a person may have several, a customer many."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="portal_access", verbose_name=_("person")
    )
    customer = models.ForeignKey(
        "customers.Customer", on_delete=models.PROTECT, related_name="portal_users", verbose_name=_("customer")
    )
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("portal user")
        verbose_name_plural = _("portal users")
        constraints = [models.UniqueConstraint(fields=["user", "customer"], name="portal_user_once_per_customer")]

    def __str__(self) -> str:
        return f"{self.user} · {self.customer}"
