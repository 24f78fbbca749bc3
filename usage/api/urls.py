from django.urls import URLPattern, path

from usage.api import corrections, events, history, meter_queries, meters

# Mounted under /api/v1/, before the paths of customers: an external id may hold slashes.
urlpatterns: list[URLPattern] = [
    path("events", events.EventsView.as_view(), name="events"),
    path("events/void", corrections.VoidEventView.as_view(), name="event-void"),
    path("events/replace", corrections.ReplaceEventView.as_view(), name="event-replace"),
    path("events/void-many", corrections.VoidManyEventsView.as_view(), name="event-void-many"),
    path("meters", meters.MeterListView.as_view(), name="meters"),
    path("meters/<str:code>", meters.MeterView.as_view(), name="meter"),
    path("meters/<str:code>/succeed", meters.MeterSuccessorView.as_view(), name="meter-succeed"),
    path("meters/<str:code>/query", meter_queries.MeterQueryView.as_view(), name="meter-query"),
    path("customers/<path:external_id>/usage", history.UsageHistoryView.as_view(), name="usage-history"),
]
