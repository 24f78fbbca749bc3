"""The books of a month, downloaded from the page of a billing entity."""

import tempfile
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from billing.accounting.export import export_month
from billing.accounting.period import NotExported, Period, month_of
from billing.admin.asking import asked, posted
from billing.admin.shown import today
from billing.models import BillingEntity
from squill.web.admin_pages import detail_action

if TYPE_CHECKING:
    from squill.web.admin_pages import KeptAdmin as _Admin
else:
    _Admin = object


class MonthForm(forms.Form):
    """Which month, and how Excel shall read it."""

    month = forms.CharField(
        label=gettext_lazy("Month"), max_length=7, widget=UnfoldAdminTextInputWidget, help_text=gettext_lazy("Such as 2026-03.")
    )
    with_bom = forms.BooleanField(
        label=gettext_lazy("For Excel"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=gettext_lazy("Puts a mark before each file by which Excel knows its letters."),
    )

    def __init__(self, *args: Any, entity: BillingEntity, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._entity = entity

    def clean_month(self) -> Period:
        """Read the month."""
        try:
            return month_of(self.cleaned_data["month"], entity_code=self._entity.code)
        except NotExported as error:
            raise forms.ValidationError(str(error)) from None


class AccountingActions(_Admin):
    """The button of a billing entity's page that exports its books."""

    def has_books_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Let those read the books who may see invoices and payments."""
        return request.user.has_perms(("billing.view_invoice", "billing.view_payment"))

    @detail_action(title=gettext_lazy("Export a month"), path="export", icon="download", permission="books")
    def export(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Ask for the month, then hand out the files; what does not agree is said instead."""
        entity = get_object_or_404(BillingEntity, pk=object_id)
        last_month = today().replace(day=1) - timedelta(days=1)
        form = MonthForm(posted(request), entity=entity, initial={"month": f"{last_month:%Y-%m}"})
        if request.method == "POST" and form.is_valid():
            file = tempfile.TemporaryFile()  # the answer closes it
            totals = export_month(form.cleaned_data["month"], file, with_bom=form.cleaned_data["with_bom"])
            if not totals.differences:
                file.seek(0)
                name = f"{form.cleaned_data['month'].name}.zip"
                return FileResponse(file, as_attachment=True, filename=name, content_type="application/zip")
            file.close()
            differences = {"differences": "; ".join(totals.differences)}
            form.add_error(
                None, _("The totals are not what the documents say. %(differences)s. Have reconcile run.") % differences
            )
        return asked(
            self,
            request,
            entity,
            title=_("Export a month"),
            question=_(
                "The books of which month of %(entity)s? Invoices, lines, taxes, discounts, credit notes, payments and credits "
                "come as CSV files in a ZIP, with totals that sum to the books."
            )
            % {"entity": entity},
            form=form,
            run=lambda _values: "",
            refusals=(NotExported,),
        )
