"""What a subscription was billed too much, as credit notes; and what it still owes after its last invoice, as a draft."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from billing.admin.asking import NothingToAsk, asked, posted
from billing.admin.credit_note_actions import RESTS
from billing.admin.crediting import planned_page
from billing.admin.shown import day, money
from billing.invoicing.crediting.closing import UnableToBill, draft_adjustments
from billing.invoicing.crediting.correcting import NotCredited, PlannedCorrections, credit_corrections, preview_corrections
from billing.invoicing.crediting.settling import Rest, UnableToCredit
from billing.models import Subscription
from squill.lib import clock
from squill.web.admin_pages import actor_of, detail_action

if TYPE_CHECKING:
    from squill.web.admin_pages import KeptAdmin as _Admin
else:
    _Admin = object


class CorrectionsForm(forms.Form):
    """Why differences are credited, and what becomes of what is paid already."""

    explanation = forms.CharField(
        label=gettext_lazy("Explanation"),
        max_length=500,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Printed on the credit notes."),
    )
    rest = forms.ChoiceField(label=gettext_lazy("What is paid already"), choices=RESTS, widget=UnfoldAdminSelectWidget)
    reference = forms.CharField(max_length=140, widget=forms.HiddenInput)


class SubscriptionCorrections(_Admin):
    """The buttons of a subscription's page about differences of settled periods."""

    @detail_action(
        title=gettext_lazy("Credit corrections"), path="credit-corrections", icon="assignment_return", permission="act"
    )
    def credit_corrections(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what would be credited of which invoice, then do it."""
        subscription = _subscription(object_id)
        found, refusal = _found(subscription)

        def run(values: Mapping[str, Any]) -> str:
            made = credit_corrections(
                subscription_id=subscription.pk,
                explanation=values["explanation"],
                reference=values["reference"],
                rest=cast("Rest", values["rest"]),
                actor=actor_of(request),
                now=clock.now(),
            )
            numbers = ", ".join(note.number for note in made.credit_notes)
            count = len(made.credit_notes)
            written = ngettext("The credit note %(numbers)s is written.", "The credit notes %(numbers)s are written.", count)
            return written % {"numbers": numbers}

        initial = {"rest": "balance", "reference": f"desk-{uuid4()}"}
        form = CorrectionsForm(posted(request), initial=initial)
        now, currency = clock.now(), subscription.customer.currency
        shown = {
            "nothing": refusal,
            "plans": [planned_page(planned, now=now) for planned in found.credit_notes],
            "not_credited": [_not_credited(each, currency) for each in found.not_credited],
        }
        return asked(
            self,
            request,
            subscription,
            title=_("Credit corrections"),
            question=_(
                "Credit what %(subscription)s was billed too much, by the usage and terms known now? The next invoice carries it "
                "no more."
            )
            % {"subscription": subscription},
            form=form,
            run=run,
            refusals=(UnableToCredit,),
            is_final=True,
            template="admin/billing/credit_corrections.html",
            shown=shown,
        )

    @detail_action(title=gettext_lazy("Bill differences"), path="bill-differences", icon="receipt_long", permission="act")
    def bill_differences(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then write a draft of what is owed after the last invoice."""
        subscription = _subscription(object_id)

        def run(_values: Mapping[str, Any]) -> str:
            draft = draft_adjustments(subscription_id=subscription.pk, actor=actor_of(request), now=clock.now())
            return _("A draft of %(amount)s is written.") % {"amount": money(draft.total_minor, draft.currency)}

        return asked(
            self,
            request,
            subscription,
            title=_("Bill differences"),
            question=_(
                "Bill what came to light of %(subscription)s after its last invoice, on a draft of its own? It is finalised by "
                "the next run, or by hand."
            )
            % {"subscription": subscription},
            form=NothingToAsk(posted(request)),
            run=run,
            refusals=(UnableToBill,),
        )


def _subscription(object_id: str) -> Subscription:
    return get_object_or_404(Subscription.objects.select_related("customer"), pk=object_id)


def _found(subscription: Subscription) -> tuple[PlannedCorrections, str]:
    try:
        found = preview_corrections(subscription_id=subscription.pk)
    except UnableToCredit as refusal:
        return PlannedCorrections((), ()), str(refusal)
    if found.credit_notes or found.not_credited:
        return found, ""
    return found, _("Nothing was billed too much, or a draft carries it already.")


def _not_credited(each: NotCredited, currency: str) -> dict[str, str]:
    return {
        "charge": each.charge_code,
        "day": day(each.first_day),
        "amount": money(each.amount_minor, currency),
        "why": each.why,
    }
