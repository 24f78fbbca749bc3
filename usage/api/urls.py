from django.urls import URLPattern, path

from usage.api import events, history, meters

# Mounted under /api/v1/, before the paths of customers: an external id may hold slashes.
urlpatterns: list[URLPattern] = [
    path("events", events.EventsView.as_view(), name="events"),
    path("meters", meters.MeterListView.as_view(), name="meters"),
    path("meters/<str:code>", meters.MeterView.as_view(), name="meter"),
    path("customers/<path:external_id>/usage", history.UsageHistoryView.as_view(), name="usage-history"),
]
