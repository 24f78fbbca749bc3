from django.urls import URLPattern, path

from usage.api.openmeter import events, meters

# Mounted under /openmeter/api/v1/: a client gets the address of Squill with /openmeter at its end.
urlpatterns: list[URLPattern] = [
    path("events", events.EventsView.as_view(), name="events"),
    path("meters", meters.MeterListView.as_view(), name="meters"),
    path("meters/<str:code>", meters.MeterView.as_view(), name="meter"),
    path("meters/<str:code>/query", meters.MeterQueryView.as_view(), name="meter-query"),
    path("meters/<str:code>/group-by/<str:name>/values", meters.MeterValuesView.as_view(), name="meter-values"),
]
