"""What can be done with a subscription: a service call each, after a page that says what it makes of the next invoice."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.admin.asking import NothingToAsk, asked, posted
from billing.admin.shown import day
from billing.admin.subscription_pages.corrections import SubscriptionCorrections
from billing.admin.subscription_pages.forms import (
    AddOnForm,
    EndForm,
    PlanForm,
    QuantityForm,
    UndoForm,
    WhenForm,
    fits_add_ons,
)
from billing.admin.subscription_pages.page import change_words
from billing.admin.subscription_pages.previewing import previewed
from billing.invoicing.crediting.correcting import is_invoice_to_come
from billing.models import Subscription, SubscriptionChange
from billing.runs.unparking import unpark_subscription
from billing.subscriptions.changing import (
    change_plan,
    change_quantity,
    end_subscription,
    pause_subscription,
    put_add_on,
    resume_subscription,
    undo_change,
)
from billing.subscriptions.refusals import SubscriptionError
from billing.subscriptions.standing import Standing, State, standing_of, with_changes
from billing.subscriptions.withdrawing import withdraw_subscription
from squill.lib import clock
from squill.web.admin_pages import actor_of, detail_action

if TYPE_CHECKING:
    from squill.web.admin_pages import KeptAdmin as _Admin
else:
    _Admin = object


def possible_actions(standing: Standing, *, is_parked: bool) -> set[str]:
    """Return the names of the actions that the services would take for the subscription as it stands. Two queries."""
    found = {"try_again"} if is_parked else set()
    if standing.state != State.PLANNED:
        found.add("credit_corrections")
    if not is_invoice_to_come(standing.subscription):
        found.add("bill_differences")
    if standing.state == State.ENDED:
        return found
    found |= {"change_plan", "end", "resume" if standing.state == State.PAUSED else "pause"}
    if standing.quantities:
        found.add("change_quantity")
    if standing.add_ons or fits_add_ons(standing.subscription):
        found.add("add_on")
    if standing.state == State.PLANNED:
        found.add("withdraw")
    return found


_MORE = ["pause", "resume", "end", "withdraw", "credit_corrections", "bill_differences"]


class SubscriptionActions(SubscriptionCorrections, _Admin):
    """The buttons of a subscription's page."""

    actions_detail = (  # type: ignore[assignment] # Unfold's menus
        "change_plan",
        "change_quantity",
        "add_on",
        "try_again",
        {"title": gettext_lazy("More"), "icon": "more_horiz", "items": _MORE},
    )

    def has_act_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Let those act who may change subscriptions."""
        return bool(request.user.has_perm("billing.change_subscription"))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer only what can be done with this one."""
        subscription: Any = self.get_queryset(request).filter(pk=object_id).first()
        if subscription is None:
            return []
        standing = standing_of(subscription, now=clock.now())
        possible = possible_actions(standing, is_parked=subscription.is_parked)
        allowed = {f"billing_subscription_{name}" for name in possible}
        offered: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc] # Unfold's
        return [one for one in offered if one.action_name in allowed]

    @detail_action(title=gettext_lazy("Change plan"), path="change-plan", icon="swap_horiz", permission="act")
    def change_plan(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for the plan and the day."""
        standing = _standing(object_id)

        def change(form: WhenForm) -> None:
            values = form.cleaned_data
            change_plan(
                **_to(request, standing),
                plan_code=values["plan"].code,
                when=form.moment(clock.now()),
                quantities=values.get("quantities") or None,
            )

        return self._previewed(
            request,
            standing,
            form=PlanForm(posted(request), standing=standing),
            title=_("Change plan"),
            question=_("Which plan does %(customer)s go over to, from %(version)s?"),
            done=_("The plan is changed."),
            change=change,
        )

    @detail_action(title=gettext_lazy("Change quantity"), path="change-quantity", icon="group_add", permission="act")
    def change_quantity(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for the fee, how many, and the day, which may lie in the past."""
        standing = _standing(object_id)

        def change(form: WhenForm) -> None:
            values = form.cleaned_data
            change_quantity(
                **_to(request, standing),
                charge_code=values["charge"],
                quantity=values["quantity"],
                when=form.moment(clock.now()),
            )

        initial = {"when": "now", "charge": request.GET.get("charge", "")}
        return self._previewed(
            request,
            standing,
            form=QuantityForm(posted(request), standing=standing, initial=initial),
            title=_("Change quantity"),
            question=_("How many does %(customer)s have, from which day on?"),
            done=_("The quantity is changed."),
            change=change,
        )

    @detail_action(title=gettext_lazy("Add-on"), path="add-on", icon="extension", permission="act")
    def add_on(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for the add-on, how many, and the day; none takes it off."""
        standing = _standing(object_id)

        def change(form: WhenForm) -> None:
            values = form.cleaned_data
            put_add_on(
                **_to(request, standing),
                plan_code=values["plan"].code,
                quantity=values["quantity"],
                code=values["code"],
                when=form.moment(clock.now()),
            )

        held = next((one for one in standing.add_ons if one.code == request.GET.get("of")), None)
        initial: dict[str, Any] = {"when": "now", "quantity": request.GET.get("quantity", "1")}
        if held is not None:
            initial |= {"plan": held.version.plan_id, "code": held.code}
        return self._previewed(
            request,
            standing,
            form=AddOnForm(posted(request), standing=standing, initial=initial),
            title=_("Add-on"),
            question=_("Which add-on does %(customer)s have, and how many?"),
            done=_("The add-on is as you said."),
            change=change,
        )

    @detail_action(title=gettext_lazy("Pause"), path="pause", icon="pause_circle", permission="act")
    def pause(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask from when."""
        return self._moved(
            request,
            object_id,
            service=pause_subscription,
            title=_("Pause"),
            question=_("From when is %(customer)s not charged? Usage goes on to be counted, and has no price until it resumes."),
            done=_("The pause is set."),
        )

    @detail_action(title=gettext_lazy("Resume"), path="resume", icon="play_circle", permission="act")
    def resume(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask from when."""
        return self._moved(
            request,
            object_id,
            service=resume_subscription,
            title=_("Resume"),
            question=_("From when is %(customer)s charged again?"),
            done=_("The end of the pause is set."),
        )

    @detail_action(title=gettext_lazy("End"), path="end", icon="event_busy", permission="act")
    def end(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask when."""
        standing = _standing(object_id)
        return self._previewed(
            request,
            standing,
            form=EndForm(posted(request), standing=standing),
            title=_("End"),
            question=_(
                "When does %(version)s of %(customer)s end? Usage before is billed, a fee that was paid for longer comes back."
            ),
            done=_("The end is set."),
            change=lambda form: end_subscription(**_to(request, standing), ends_at=form.moment(clock.now())),
            is_final=True,
        )

    @detail_action(title=gettext_lazy("Withdraw"), path="withdraw", icon="undo", permission="act")
    def withdraw(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then take back one that has not begun."""
        subscription = _standing(object_id).subscription

        def run(_values: Mapping[str, Any]) -> str:
            withdraw_subscription(subscription_id=subscription.pk, actor=actor_of(request), now=clock.now())
            return _("%(subscription)s is withdrawn.") % {"subscription": subscription}

        question = _("Take %(subscription)s back, as if it had never been started? It begins on %(day)s.")
        return asked(
            self,
            request,
            subscription,
            title=_("Withdraw"),
            question=question % {"subscription": subscription, "day": day(subscription.started_on)},
            form=NothingToAsk(posted(request)),
            run=run,
            refusals=(SubscriptionError,),
            is_final=True,
        )

    @detail_action(title=gettext_lazy("Try again"), path="try-again", icon="restart_alt", permission="act")
    def try_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then bring parked periods back into the next run."""
        subscription = _standing(object_id).subscription

        def run(_values: Mapping[str, Any]) -> str:
            count = unpark_subscription(subscription_id=subscription.pk, actor=actor_of(request), now=clock.now())
            return ngettext(
                "%(count)d period is tried again by the next run.", "%(count)d periods are tried again by the next run.", count
            ) % {"count": count}

        return asked(
            self,
            request,
            subscription,
            title=_("Try again"),
            question=_("Have the next run try the parked periods of %(subscription)s again? Their errors are shown below them.")
            % {"subscription": subscription},
            form=NothingToAsk(posted(request)),
            run=run,
            refusals=(),
        )

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        """Add the undoing of a change."""
        return (("<int:object_id>/undo/<int:change_id>/", "billing_subscription_undo", self.undo),)

    def undo(self, request: HttpRequest, object_id: int, change_id: int, model_admin: Any = None) -> HttpResponse:
        """Show what the next invoice is without a change whose day lies ahead, then undo it."""
        if not self.has_act_permission(request, object_id):
            raise PermissionDenied
        standing = _standing(str(object_id))
        change = SubscriptionChange.objects.select_related("plan_version__plan").filter(
            pk=change_id, subscription=standing.subscription, undone_at=None
        )
        found = change.first()
        if found is None:  # somebody was faster, or a second click
            messages.info(request, _("That change is undone already."))
            return redirect("admin:billing_subscription_change", object_id)
        question = _("Undo “%(change)s”, planned for %(day)s? The subscription goes on as if it had not been decided.") % {
            "change": change_words(found, standing),
            "day": day(found.effective_on),
        }
        return previewed(
            self,
            request,
            standing.subscription,
            form=UndoForm(posted(request), standing=standing),
            title=_("Undo"),
            question=question,
            done=_("The change is undone."),
            change=lambda _form: undo_change(**_to(request, standing), change_id=change_id),
        )

    def _moved(
        self, request: HttpRequest, object_id: str, *, service: Callable[..., Any], title: str, question: str, done: str
    ) -> HttpResponse:
        standing = _standing(object_id)
        return self._previewed(
            request,
            standing,
            form=WhenForm(posted(request), standing=standing, initial={"when": "now"}),
            title=title,
            question=question,
            done=done,
            change=lambda form: service(**_to(request, standing), when=form.moment(clock.now())),
        )

    def _previewed(self, request: HttpRequest, standing: Standing, *, question: str, **asking: Any) -> HttpResponse:
        subscription = standing.subscription
        values = {"customer": subscription.customer, "version": standing.version}
        return previewed(self, request, subscription, question=question % values, **asking)


def _standing(object_id: str) -> Standing:
    """
    Return how a subscription stands now.

    :raises Http404: if there is none
    """
    subscription = with_changes(Subscription.objects.select_related("plan")).filter(pk=object_id).first()
    if subscription is None:
        raise Http404
    return standing_of(subscription, now=clock.now())


def _to(request: HttpRequest, standing: Standing) -> dict[str, Any]:
    """Return what every service is told: which subscription, who, and when."""
    return {"subscription_id": standing.subscription.pk, "actor": actor_of(request), "now": clock.now()}
