from django.urls import URLPattern, path

from usage.portal import views

# Mounted under /portal/ in the namespace "portal", together with the pages of the other apps.
urlpatterns: list[URLPattern] = [path("usage", views.usage, name="usage")]
