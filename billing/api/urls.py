from django.urls import URLPattern, path

from billing.api import calculation, documents, invoice_actions, invoices, plans, subscriptions

# Mounted under /api/v1/, before the paths of customers. External ids may hold slashes: what follows one is matched first.
urlpatterns: list[URLPattern] = [
    path("calculate", calculation.CalculationView.as_view(), name="calculate"),
    path("plans", plans.PlanListView.as_view(), name="plans"),
    path("plans/<str:code>", plans.PlanView.as_view(), name="plan"),
    path("plans/<str:code>/versions", plans.PlanVersionListView.as_view(), name="plan-versions"),
    path("subscriptions", subscriptions.SubscriptionListView.as_view(), name="subscriptions"),
    path("subscriptions/<path:external_id>/end", subscriptions.SubscriptionEndView.as_view(), name="subscription-end"),
    path("subscriptions/<path:external_id>/periods", subscriptions.BillingPeriodListView.as_view(), name="billing-periods"),
    path("subscriptions/<path:external_id>", subscriptions.SubscriptionView.as_view(), name="subscription"),
    path("invoices", invoices.InvoiceListView.as_view(), name="invoices"),
    path("invoices/<path:number>/pdf", documents.InvoicePdfView.as_view(), name="invoice-pdf"),
    path("invoices/<path:number>/finalize", invoice_actions.InvoiceFinalizeView.as_view(), name="invoice-finalize"),
    path("invoices/<path:number>/void", invoice_actions.InvoiceVoidView.as_view(), name="invoice-void"),
    path("invoices/<path:number>/payments", invoice_actions.InvoicePaymentsView.as_view(), name="invoice-payments"),
    path("invoices/<path:number>", invoices.InvoiceView.as_view(), name="invoice"),
    path("customers/<path:external_id>/upcoming-invoice", invoices.UpcomingInvoiceView.as_view(), name="upcoming-invoice"),
]
