"""What the calling key may see of billing, and how a resource of a path is found (I12: what is not theirs is not there)."""

from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from billing.invoicing.entities import billing_of
from billing.models import BillingEntity, CreditNote, Invoice, Payment, Plan, PlanVersion, Subscription, SubscriptionChange
from customers.api.authentication import calling_key, visible_customers
from customers.models import Customer


def visible_versions(request: Request) -> QuerySet[PlanVersion]:
    """
    Return the versions that the key may know of: all; for a narrowed key its customer's own, and the public ones of plans and
    add-ons that its customer has or had. Drafts are the business of keys that are not narrowed.
    """
    customer_id = calling_key(request).customer_id
    if customer_id is None:
        return PlanVersion.objects.all()
    changes = SubscriptionChange.objects.filter(subscription__customer_id=customer_id)
    had = Q(plan__in=Subscription.objects.filter(customer_id=customer_id).values("plan_id"))
    had |= Q(plan__in=changes.exclude(plan_version=None).values("plan_version__plan_id"))
    shown = PlanVersion.objects.exclude(status=PlanVersion.Status.DRAFT)
    return shown.filter(Q(customer=customer_id) | (Q(customer=None) & had))


def visible_plans(request: Request) -> QuerySet[Plan]:
    """Return the plans that the key may know of: all, or for a narrowed key those of which it may know a version."""
    if calling_key(request).customer_id is None:
        return Plan.objects.all()
    return Plan.objects.filter(pk__in=visible_versions(request).values("plan_id"))


def visible_subscriptions(request: Request) -> QuerySet[Subscription]:
    """Return the subscriptions that the key may know of."""
    customer_id = calling_key(request).customer_id
    return Subscription.objects.all() if customer_id is None else Subscription.objects.filter(customer_id=customer_id)


def visible_invoices(request: Request) -> QuerySet[Invoice]:
    """Return the invoices that the key may know of."""
    customer_id = calling_key(request).customer_id
    return Invoice.objects.all() if customer_id is None else Invoice.objects.filter(customer_id=customer_id)


def visible_payments(request: Request) -> QuerySet[Payment]:
    """Return the payments that the key may know of."""
    customer_id = calling_key(request).customer_id
    return Payment.objects.all() if customer_id is None else Payment.objects.filter(customer_id=customer_id)


def visible_credit_notes(request: Request) -> QuerySet[CreditNote]:
    """Return the credit notes that the key may know of."""
    customer_id = calling_key(request).customer_id
    return CreditNote.objects.all() if customer_id is None else CreditNote.objects.filter(customer_id=customer_id)


def refuse_narrowed(request: Request) -> None:
    """
    Refuse a change of what is everybody's to a key of one customer.

    :raises PermissionDenied: if the key is narrowed
    """
    if calling_key(request).customer_id is not None:
        raise PermissionDenied(_("This API key is narrowed to one customer and cannot change plans, coupons or credits."))


def refuse_customers_key(request: Request) -> None:
    """
    Refuse what a seller decides about a customer to a key of one customer, which is often in the customer's hands.

    :raises PermissionDenied: if the key is narrowed
    """
    if calling_key(request).customer_id is not None:
        raise PermissionDenied(_("This API key is narrowed to one customer and cannot say what or how it is billed."))


def visible_entities(request: Request) -> QuerySet[BillingEntity]:
    """Return the sellers that the key may know of: all, or for a narrowed key those that bill or have billed its customer."""
    customer_id = calling_key(request).customer_id
    if customer_id is None:
        return BillingEntity.objects.all()
    billed = Invoice.objects.filter(customer_id=customer_id).exclude(status=Invoice.Status.DRAFT)
    now = billing_of(Customer.objects.get(pk=customer_id), is_preview=True).entity.pk
    return BillingEntity.objects.filter(Q(pk=now) | Q(pk__in=billed.values("billing_entity_id")))


def find_customer(request: Request, external_id: str) -> Customer:
    """
    Return a customer by its external id.

    :raises Http404: if there is none, or the key may not know of it
    """
    customer = visible_customers(request).filter(external_id=external_id).first() if "\0" not in external_id else None
    if customer is None:
        raise Http404(_("There is no customer %(external_id)s.") % {"external_id": external_id})
    return customer


def find_plan(request: Request, code: str) -> Plan:
    """
    Return a plan by its code.

    :raises Http404: if there is none, or the key may not know of it
    """
    plan = visible_plans(request).filter(code=code).first() if "\0" not in code else None
    if plan is None:
        raise Http404(_("There is no plan %(code)s.") % {"code": code})
    return plan


def find_version(request: Request, code: str, number: int) -> PlanVersion:
    """
    Return a version of a plan by its number, with plan, customer, and what it is derived from.

    :raises Http404: if there is none, or the key may not know of it
    """
    plan = find_plan(request, code)
    found = visible_versions(request).select_related("plan", "customer", "derived_from").filter(plan=plan, version=number)
    version = found.first()
    if version is None:
        raise Http404(_("There is no version %(number)d of plan %(code)s.") % {"number": number, "code": code})
    return version


def find_subscription(rows: QuerySet[Subscription], external_id: str) -> Subscription:
    """
    Return a subscription by its external id from those that the key may know of.

    :raises Http404: if it is not among them
    """
    subscription = rows.filter(external_id=external_id).first() if "\0" not in external_id else None
    if subscription is None:
        raise Http404(_("There is no subscription %(external_id)s.") % {"external_id": external_id})
    return subscription


def find_invoice(rows: QuerySet[Invoice], name: str) -> Invoice:
    """
    Return an invoice by its number or its id from those that the key may know of; a draft has only the id.

    :raises Http404: if it is not among them
    """
    invoice = rows.filter(_named(name)).first() if "\0" not in name else None
    if invoice is None:
        raise Http404(_("There is no invoice %(name)s.") % {"name": name})
    return invoice


def find_payment(rows: QuerySet[Payment], payment_id: UUID) -> Payment:
    """
    Return a payment by its id from those that the key may know of.

    :raises Http404: if it is not among them
    """
    payment = rows.filter(public_id=payment_id).first()
    if payment is None:
        raise Http404(_("There is no payment %(id)s.") % {"id": payment_id})
    return payment


def find_credit_note(rows: QuerySet[CreditNote], name: str) -> CreditNote:
    """
    Return a credit note by its number or its id from those that the key may know of.

    :raises Http404: if it is not among them
    """
    note = rows.filter(_named(name)).first() if "\0" not in name else None
    if note is None:
        raise Http404(_("There is no credit note %(name)s.") % {"name": name})
    return note


def _named(name: str) -> Q:
    try:
        return Q(number=name) | Q(public_id=UUID(name))
    except ValueError:
        return Q(number=name)
