"""Days of reminders as a person writes them: `-3, 1, 7, 14`."""

import re
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

EARLIEST: Final = -60
LATEST: Final = 365
_DAY: Final = re.compile(r"[+-]?[0-9]{1,4}")


class ReminderDaysField(forms.CharField):
    """Whole numbers in rising order, each once, from 60 days before the due date to 365 after it."""

    widget = UnfoldAdminTextInputWidget

    def __init__(self) -> None:
        super().__init__(
            label=gettext_lazy("Reminder days"),
            required=False,
            help_text=gettext_lazy(
                "Days after the due date, before it with a minus, such as -3, 1, 7, 14. Empty: no reminders. An open invoice is "
                "reminded of once on each; a payment stops it."
            ),
        )

    def prepare_value(self, value: Any) -> Any:
        """Write a stored list as text; what a person has typed stays as it is."""
        return ", ".join(str(day) for day in value) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare days, and not the way in which they are written."""
        try:
            return bool((initial or []) != self.clean(data))
        except ValidationError:
            return True

    def clean(self, value: Any) -> Any:
        """Return the list of days."""
        words = [word for word in re.split(r"[\s,;]+", str(value or "").replace("\N{MINUS SIGN}", "-").strip()) if word]
        if any(_DAY.fullmatch(word) is None for word in words):
            raise ValidationError(_("Write whole numbers with commas between them, such as -3, 1, 7, 14."))
        days = [int(word) for word in words]
        if any(not EARLIEST <= day <= LATEST for day in days):
            words_of = {"earliest": -EARLIEST, "latest": LATEST}
            raise ValidationError(
                _("A reminder goes out at most %(earliest)d days before the due date and %(latest)d days after it.") % words_of
            )
        if days != sorted(set(days)):
            raise ValidationError(_("Write the days in rising order, each once."))
        return days
