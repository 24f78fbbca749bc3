from django.urls import URLPattern, path

from billing.api import (
    calculation,
    documents,
    invoice_actions,
    invoices,
    plan_drafts,
    plan_versions,
    plans,
    subscription_changes,
    subscriptions,
)

# Mounted under /api/v1/, before the paths of customers. External ids may hold slashes: what follows one is matched first.
urlpatterns: list[URLPattern] = [
    path("calculate", calculation.CalculationView.as_view(), name="calculate"),
    path("plans", plans.PlanListView.as_view(), name="plans"),
    path("plans/<str:code>", plans.PlanView.as_view(), name="plan"),
    path("plans/<str:code>/draft", plan_drafts.PlanDraftView.as_view(), name="plan-draft"),
    path("plans/<str:code>/compare", plan_versions.PlanCompareView.as_view(), name="plan-compare"),
    path("plans/<str:code>/versions", plan_versions.PlanVersionListView.as_view(), name="plan-versions"),
    path("plans/<str:code>/versions/<int:version>", plan_versions.PlanVersionView.as_view(), name="plan-version"),
    path(
        "plans/<str:code>/versions/<int:version>/publish",
        plan_versions.PlanVersionPublishView.as_view(),
        name="plan-version-publish",
    ),
    path(
        "plans/<str:code>/versions/<int:version>/archive",
        plan_versions.PlanVersionArchiveView.as_view(),
        name="plan-version-archive",
    ),
    path(
        "plans/<str:code>/versions/<int:version>/derive",
        plan_versions.PlanVersionDeriveView.as_view(),
        name="plan-version-derive",
    ),
    path("subscriptions", subscriptions.SubscriptionListView.as_view(), name="subscriptions"),
    path(
        "subscriptions/<path:external_id>/change-plan",
        subscription_changes.SubscriptionPlanView.as_view(),
        name="subscription-change-plan",
    ),
    path(
        "subscriptions/<path:external_id>/quantities",
        subscription_changes.SubscriptionQuantityView.as_view(),
        name="subscription-quantities",
    ),
    path(
        "subscriptions/<path:external_id>/add-ons",
        subscription_changes.SubscriptionAddOnView.as_view(),
        name="subscription-add-ons",
    ),
    path(
        "subscriptions/<path:external_id>/pause", subscription_changes.SubscriptionPauseView.as_view(), name="subscription-pause"
    ),
    path(
        "subscriptions/<path:external_id>/resume",
        subscription_changes.SubscriptionResumeView.as_view(),
        name="subscription-resume",
    ),
    path("subscriptions/<path:external_id>/end", subscription_changes.SubscriptionEndView.as_view(), name="subscription-end"),
    path(
        "subscriptions/<path:external_id>/changes",
        subscription_changes.SubscriptionChangeListView.as_view(),
        name="subscription-changes",
    ),
    path(
        "subscriptions/<path:external_id>/changes/<int:change_id>/undo",
        subscription_changes.SubscriptionUndoView.as_view(),
        name="subscription-undo",
    ),
    path("subscriptions/<path:external_id>/periods", subscriptions.BillingPeriodListView.as_view(), name="billing-periods"),
    path("subscriptions/<path:external_id>", subscriptions.SubscriptionView.as_view(), name="subscription"),
    path("invoices", invoices.InvoiceListView.as_view(), name="invoices"),
    path("invoices/<path:number>/pdf", documents.InvoicePdfView.as_view(), name="invoice-pdf"),
    path("invoices/<path:number>/finalize", invoice_actions.InvoiceFinalizeView.as_view(), name="invoice-finalize"),
    path("invoices/<path:number>/void", invoice_actions.InvoiceVoidView.as_view(), name="invoice-void"),
    path("invoices/<path:number>/payments", invoice_actions.InvoicePaymentsView.as_view(), name="invoice-payments"),
    path("invoices/<path:number>", invoices.InvoiceView.as_view(), name="invoice"),
    path("customers/<path:external_id>/upcoming_invoice", invoices.UpcomingInvoiceView.as_view(), name="upcoming"),
]
