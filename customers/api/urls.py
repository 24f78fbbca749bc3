from django.urls import URLPattern, path

from customers.api import views

# Mounted under /api/v1/, after the paths of all other apps: an external id may hold slashes.
urlpatterns: list[URLPattern] = [
    path("customers", views.CustomerListView.as_view(), name="customers"),
    path("customers/<path:external_id>", views.CustomerView.as_view(), name="customer"),
]
