import gzip
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import resolve, reverse

from squill.wsgi import application


def test_the_front_page_is_the_portal(client: Client) -> None:
    assert client.get("/").headers["Location"] == "/portal/"


def test_the_icon_is_found_where_browsers_look(client: Client) -> None:
    assert client.get("/favicon.ico").headers["Location"] == "/static/squill/icon.svg"


@pytest.mark.parametrize("name", ["overview", "usage", "invoices", "sign-in", "sign-out", "choose-customer"])
def test_the_pages_of_all_apps_are_one_portal(name: str) -> None:
    assert reverse(f"portal:{name}").startswith("/portal/")


def test_an_external_id_with_slashes_swallows_no_path_of_another_app() -> None:
    assert resolve("/api/v1/customers/acme/eu").kwargs == {"external_id": "acme/eu"}
    assert resolve("/api/v1/customers").url_name == "customers"


@pytest.mark.django_db
def test_a_chunked_and_gzipped_body_goes_all_the_way_through_wsgi() -> None:
    """Sends what a server such as gunicorn makes of a chunked request: no length, and a stream that ends."""
    body = gzip.compress(json.dumps({"external_id": "acme"}).encode())
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/api/v1/customers",
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "HTTP_TRANSFER_ENCODING": "chunked",
        "HTTP_CONTENT_ENCODING": "gzip",
        "CONTENT_TYPE": "application/json",
        "HTTP_AUTHORIZATION": "Bearer nothing",
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.url_scheme": "http",
    }
    started = []

    def start_response(status: str, *_headers: Any) -> Callable[[bytes], object]:
        started.append(status)
        return lambda _data: None

    answer = b"".join(application(environ, start_response))
    assert started == ["401 Unauthorized"]
    assert json.loads(answer)["type"] == "/problems/not-authenticated"
