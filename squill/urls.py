"""Every path of Squill. A page or endpoint is declared in the app that owns what it shows."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.views import SpectacularAPIView

import billing.api.urls
import billing.portal.urls
import customers.api.urls
import customers.portal.urls
import usage.api.openmeter.urls
import usage.api.urls
import usage.portal.urls
from billing.api import mail_reports
from squill.web import health, reference
from squill.web.admin_site import with_admin_policy

portal = [*customers.portal.urls.urlpatterns, *usage.portal.urls.urlpatterns, *billing.portal.urls.urlpatterns]
# Customers come last: their external ids may hold slashes, and would swallow /customers/<id>/<more> of the other apps.
api = [*usage.api.urls.urlpatterns, *billing.api.urls.urlpatterns, *customers.api.urls.urlpatterns]

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="portal:overview"), name="home"),
    path("favicon.ico", RedirectView.as_view(url=f"{settings.STATIC_URL}squill/icon.svg"), name="icon"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("admin/", with_admin_policy(admin.site.urls)),
    path("portal/", include((portal, "portal"))),
    path("api/v1/openapi.yaml", SpectacularAPIView.as_view(renderer_classes=[OpenApiYamlRenderer]), name="openapi-yaml"),
    path("api/v1/openapi.json", SpectacularAPIView.as_view(renderer_classes=[OpenApiJsonRenderer]), name="openapi-json"),
    path("api/docs", reference.page, name="api-reference"),
    path("hooks/ses", mail_reports.receive, name="mail-reports"),
    path("problems/<slug:slug>", reference.problem, name="problem"),
    path("api/v1/", include((api, "api"))),
    path("openmeter/api/v1/", include((usage.api.openmeter.urls.urlpatterns, "openmeter"))),
]

handler400 = "squill.web.problems.bad_request"
handler403 = "squill.web.problems.permission_denied"
handler404 = "squill.web.problems.page_not_found"
handler500 = "squill.web.problems.server_error"
