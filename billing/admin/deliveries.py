"""Notices and what became of them, and the addresses that nothing more is sent to."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.admin.asking import NothingToAsk, asked, posted
from billing.admin.delivery_rows import STATE_COLORS, state_of
from billing.admin.shown import day, label_column, link, moment
from billing.delivery.feedback import report_words
from billing.delivery.resending import RELEASABLE, UnableToResend, mark_as_sent, send_again
from billing.delivery.suppression import lift_suppression
from billing.models import Delivery, MailReport, SuppressedAddress
from squill.lib import clock
from squill.web.admin_pages import ReadOnlyAdmin, ReadOnlyInline, actor_of, detail_action


class StateFilter(admin.SimpleListFilter):
    """The states that rows have, and what was reported of those that were sent."""

    title = gettext_lazy("status")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the states; what waits for a person comes first."""
        return [
            ("waiting", _("waits for a person")),
            *((str(value), label) for value, label in Delivery.Status.choices),
            ("bounced", _("came back")),
            ("complained", _("complained about")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow the list."""
        chosen = self.value()
        if chosen is None:
            return queryset
        if chosen == "waiting":
            return queryset.filter(status__in=[Delivery.Status.HELD, Delivery.Status.FAILED])
        if chosen in ("bounced", "complained"):
            return queryset.filter(**{f"{chosen}_at__isnull": False})
        return queryset.filter(status=chosen)


class MailReportInline(ReadOnlyInline):
    """What the provider reported of the mail, oldest first."""

    model = MailReport
    fields = ("kind", "received_at", "said")
    readonly_fields = fields
    ordering = ("received_at", "pk")
    tab = False
    show_title = False
    show_change_link = False

    @admin.display(description=gettext_lazy("what the provider said"))
    def said(self, report: MailReport) -> str:
        """Return it in one line."""
        return report_words(report) or "–"


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """All notices, newest first."""

    list_display = ("about", "kind", "occasion", "recipient", "state", "attempts", "queued_at", "sent_at")
    list_select_related = ("invoice", "credit_note", "payment")
    list_filter = (StateFilter, "kind")
    search_fields = ("recipient", "invoice__number", "credit_note__number", "payment__reference", "message_id")
    ordering = ("-queued_at", "-pk")
    fields = (
        ("about", "kind", "occasion"),
        ("recipient", "status", "attempts"),
        ("queued_at", "sent_at", "message_id"),
        ("delivered_at", "bounced_at", "complained_at"),
        "last_error",
    )
    readonly_fields = ("about",)
    inlines = (MailReportInline,)
    actions_detail = ("send_again", "mark_as_sent")

    class Media:
        css = {"all": ("squill/desk.css",)}

    @admin.display(description=gettext_lazy("about"))
    def about(self, delivery: Delivery) -> SafeString:
        """Return the way to what it is about."""
        if delivery.invoice is not None:
            return link("billing_invoice", delivery.invoice.pk, delivery.invoice)
        if delivery.payment is not None:
            return link("billing_payment", delivery.payment.pk, delivery.payment)
        return link("billing_creditnote", delivery.credit_note_id, delivery.credit_note)

    @label_column(description=gettext_lazy("status"), colors=STATE_COLORS, ordering="status")
    def state(self, delivery: Delivery) -> tuple[str, Any]:
        """Return the state as a coloured label; that it came back counts for more than that it was sent."""
        return state_of(delivery)

    def has_act_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Let those act who may send invoices."""
        return bool(request.user.has_perm("billing.change_invoice"))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer only what can be done with this one."""
        delivery = Delivery.objects.filter(pk=object_id).first()
        possible = {"send_again"} if delivery and delivery.status in RELEASABLE else set()
        if delivery and delivery.status == Delivery.Status.HELD:
            possible |= {"mark_as_sent"}
        allowed = {f"billing_delivery_{name}" for name in possible}
        offered: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc] # Unfold's
        return [one for one in offered if one.action_name in allowed]

    @detail_action(title=gettext_lazy("Send again"), path="send-again", icon="forward_to_inbox", permission="act")
    def send_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then put it back into the queue."""
        delivery = get_object_or_404(Delivery, pk=object_id)
        question = _("Send the notice of %(about)s to %(recipient)s once more?")
        if delivery.status == Delivery.Status.HELD:
            question = _(
                "The provider's answer was lost: the notice of %(about)s may have reached %(recipient)s already. Look there, or "
                "into the provider's log, first. Send it once more?"
            )
        return self._asked(
            request,
            delivery,
            title=_("Send again"),
            question=question,
            run=lambda: send_again(delivery_id=delivery.pk, actor=actor_of(request), now=clock.now()),
            done=_("It is on its way to %(recipient)s."),
        )

    @detail_action(title=gettext_lazy("It arrived: mark as sent"), path="mark-as-sent", icon="mark_email_read", permission="act")
    def mark_as_sent(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then note that it went out."""
        delivery = get_object_or_404(Delivery, pk=object_id)
        return self._asked(
            request,
            delivery,
            title=_("It arrived: mark as sent"),
            question=_("Did the notice of %(about)s reach %(recipient)s? It is marked as sent, and nothing is sent."),
            run=lambda: mark_as_sent(delivery_id=delivery.pk, actor=actor_of(request), now=clock.now()),
            done=_("It is marked as sent."),
        )

    def _asked(
        self, request: HttpRequest, delivery: Delivery, *, title: str, question: str, run: Callable[[], object], done: str
    ) -> HttpResponse:
        about = delivery.invoice or delivery.credit_note or delivery.payment
        words = {"about": str(about), "recipient": delivery.recipient}

        def act(_values: Mapping[str, Any]) -> str:
            run()
            return done % words

        form = NothingToAsk(posted(request))
        refusals = (UnableToResend,)
        return asked(self, request, delivery, title=title, question=question % words, form=form, run=act, refusals=refusals)


class LiveFilter(admin.SimpleListFilter):
    """Suppressed now, or lifted."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return both."""
        return [("live", _("suppressed")), ("lifted", _("lifted"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow the list."""
        return queryset if self.value() is None else queryset.filter(lifted_at__isnull=self.value() == "live")


@admin.register(SuppressedAddress)
class SuppressedAddressAdmin(ReadOnlyAdmin):
    """Addresses that mail came back from, or that complained, newest first."""

    list_display = ("address", "why", "since", "state")
    list_filter = (LiveFilter, "reason")
    search_fields = ("address",)
    ordering = ("-suppressed_at", "-pk")
    fields = (("address", "reason"), "detail", ("suppressed_at", "lifted_at"))
    actions_detail = ("lift",)

    class Media:
        css = {"all": ("squill/desk.css",)}

    @admin.display(description=gettext_lazy("reason"))
    def why(self, suppressed: SuppressedAddress) -> str:
        """Return the reason, and what the provider said."""
        return " · ".join(part for part in (str(suppressed.get_reason_display()), suppressed.detail) if part)

    @admin.display(description=gettext_lazy("since"), ordering="suppressed_at")
    def since(self, suppressed: SuppressedAddress) -> str:
        """Return the day."""
        return day(suppressed.suppressed_at.date())

    @label_column(description=gettext_lazy("state"), colors={"live": "danger", "lifted": ""})
    def state(self, suppressed: SuppressedAddress) -> tuple[str, Any]:
        """Return whether mail goes to it again."""
        if suppressed.lifted_at is None:
            return "live", _("suppressed")
        return "lifted", _("lifted %(at)s") % {"at": moment(suppressed.lifted_at)}

    def has_act_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Let those act who may send invoices."""
        return bool(request.user.has_perm("billing.change_invoice"))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer to lift what is not lifted."""
        is_live = SuppressedAddress.objects.filter(pk=object_id, lifted_at=None).exists()
        offered: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc] # Unfold's
        return offered if is_live else []

    @detail_action(title=gettext_lazy("Lift"), path="lift", icon="mark_email_read", permission="act")
    def lift(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then let mail go to it again."""
        suppressed = get_object_or_404(SuppressedAddress, pk=object_id)

        def run(_values: Mapping[str, Any]) -> str:
            lift_suppression(suppressed_id=suppressed.pk, actor=actor_of(request), now=clock.now())
            return _("Mail goes to %(address)s again. What was not sent meanwhile waits under Deliveries.") % {
                "address": suppressed.address
            }

        return asked(
            self,
            request,
            suppressed,
            title=_("Lift"),
            question=_(
                "Send mail to %(address)s again? Do so once you know that it works, or that its owner wants our mail: providers "
                "punish senders whose mail keeps coming back."
            )
            % {"address": suppressed.address},
            form=NothingToAsk(posted(request)),
            run=run,
            refusals=(),
        )
