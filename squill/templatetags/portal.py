"""What the frame of every portal page shows: whose portal it is, and where one can go."""

from typing import Any, Final

from django import template
from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

register = template.Library()

# Title and the name of the page's URL. A page counts as current on every page below it.
_PAGES: Final = (
    (_("Overview"), "portal:overview"),
    (_("Usage"), "portal:usage"),
    (_("Invoices"), "portal:invoices"),
)


@register.simple_tag
def company_name() -> str:
    """Return the name of the company that runs this Squill."""
    return str(settings.SQUILL_COMPANY_NAME)


@register.simple_tag(takes_context=True)
def portal_navigation(context: template.Context) -> list[dict[str, Any]]:
    """Return the links of the portal as mappings of `title`, `url` and `is_current`."""
    request: HttpRequest = context["request"]
    links = [{"title": title, "url": url} for title, name in _PAGES if (url := _path(name))]
    # The longest path that leads here, since all lie below the overview.
    here = max((url for link in links if request.path.startswith(url := str(link["url"]))), key=len, default="")
    return [link | {"is_current": link["url"] == here} for link in links]


def _path(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
