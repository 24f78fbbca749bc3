from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _


class UserManager(BaseUserManager["User"]):
    """Makes people; the e-mail address is kept in lower case, so that it names one person only."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """
        Make a person who signs in with an e-mail address; without a password only by mailed link.

        :raises ValueError: if the address is empty
        """
        if not email:
            raise ValueError("a user needs an e-mail address")
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Make a person who may do everything in the admin."""
        return self.create_user(email, password, **(fields | {"is_staff": True, "is_superuser": True}))


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in: finance staff (is_staff) in the admin, or a customer's person in the portal."""

    email = models.EmailField(_("e-mail"), max_length=254, unique=True)
    full_name = models.CharField(_("full name"), max_length=200, blank=True)
    is_staff = models.BooleanField(_("finance staff"), default=False, help_text=_("May sign in to the finance desk."))
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_unique_in_any_case")]

    def get_full_name(self) -> str:
        """Return the name that pages show; Django's admin asks for it by this name."""
        return self.full_name or self.email

    def get_short_name(self) -> str:
        """Return the name for a greeting."""
        return self.full_name.partition(" ")[0] or self.email

    def __str__(self) -> str:
        return self.full_name or self.email
