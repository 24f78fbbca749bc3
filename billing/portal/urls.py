from django.urls import URLPattern, path

from billing.portal import views

# Mounted under /portal/ in the namespace "portal", together with the pages of the other apps.
urlpatterns: list[URLPattern] = [
    path("", views.overview, name="overview"),
    path("invoices", views.invoices, name="invoices"),
    path("invoices/<str:number>", views.invoice, name="invoice"),
    path("invoices/<str:number>/pdf", views.invoice_pdf, name="invoice-pdf"),
    path("credit_notes/<str:number>/pdf", views.credit_note_pdf, name="credit-note-pdf"),
    path("receipts/<uuid:payment_id>/pdf", views.receipt_pdf, name="receipt-pdf"),
]
