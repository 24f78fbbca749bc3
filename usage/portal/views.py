"""The portal's page about usage: a meter, a month, a bar a day, and what the month is made of."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import override
from django.views.decorators.http import require_safe

from customers.models import Customer
from customers.portal.access import portal_view
from squill.lib import clock
from usage.portal.usage_page import usage_page


@require_safe
@portal_view
def usage(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Show the meter and month that the query asks for; what it does not name, or names wrongly, is chosen for it."""
    wanted_meter, wanted_month = request.GET.get("meter", ""), request.GET.get("month", "")
    with override(customer.locale):
        context = usage_page(customer, wanted_meter=wanted_meter, wanted_month=wanted_month, now=clock.now())
        return render(request, "portal/usage.html", context)
