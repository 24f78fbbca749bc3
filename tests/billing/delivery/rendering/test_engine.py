import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from billing.delivery.rendering import engine
from billing.delivery.rendering.page import compose
from billing.delivery.rendering.pdf import render_pdf
from billing.delivery.rendering.protocol import Page
from billing.invoicing.snapshot import Bank, Party
from tests.billing.delivery.rendering.reading import catalogue, embedded_fonts, open_pdf, whole_text
from tests.billing.delivery.rendering.snapshots import line, snapshot

SECRET = "the secret of this machine"


class Canary(HTTPServer):
    """A server that counts who calls."""

    hits: list[str]


@pytest.fixture
def canary() -> Iterator[Canary]:
    class Count(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.hits.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = Canary(("127.0.0.1", 0), Count)
    server.hits = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def hostile_markup(canary: Canary, secret: Path) -> str:
    address = f"http://127.0.0.1:{canary.server_port}"
    return (
        f'<img src="{address}/img"><img src="{secret.as_uri()}">'
        f'<link rel="stylesheet" href="{address}/css"><link rel="attachment" href="{secret.as_uri()}">'
        f'<a rel="attachment" href="{secret.as_uri()}">file</a><object data="{address}/object"></object>'
        f"<style>@import url({address}/import); @font-face {{ font-family: x; src: url({address}/font) }}"
        f'p {{ background: url({address}/background); font-family: x }} p::after {{ content: url("{secret.as_uri()}") }}</style>'
        f'<svg><image href="{address}/svg"/><use href="{secret.as_uri()}#a"/></svg>'
        "<img src=\"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E\">"
    )


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.txt"
    path.write_text(SECRET)
    return path


def test_markup_in_names_reaches_neither_network_nor_files(canary: Canary, secret: Path) -> None:
    markup = hostile_markup(canary, secret)
    party = Party(
        legal_name=markup, name=markup, address=(markup,), country=markup, tax_id=markup, email=markup, reference=markup
    )

    document = render_pdf(
        snapshot(
            buyer=party,
            seller=party,
            brand_color=f"red}} @import url(http://127.0.0.1:{canary.server_port}/color)",
            footer=markup,
            notes=(markup,),
            purchase_order=markup,
            bank=Bank(),  # the code for banking apps is a picture of ours
            lines=(line(markup, amount_minor=1, unit=markup, detail=markup),),
        )
    )

    assert canary.hits == []
    assert_nothing_came_in(document)


def test_markup_that_got_past_the_escaping_reaches_neither_network_nor_files(canary: Canary, secret: Path) -> None:
    page = f'<!DOCTYPE html><html lang="en"><title>x</title><body><p>here</p>{hostile_markup(canary, secret)}'

    document = engine.write_pdf(Page(html=page, styles=f"@import url(http://127.0.0.1:{canary.server_port}/sheet);"))

    assert canary.hits == []
    assert "here" in whole_text(document)
    assert_nothing_came_in(document)


def assert_nothing_came_in(document: bytes) -> None:
    reader = open_pdf(document)
    assert not reader.attachments
    assert "/EmbeddedFiles" not in catalogue(document).get("/Names", {})
    assert SECRET not in whole_text(document)
    assert all(not page.images for page in reader.pages)


def test_fonts_of_the_machine_are_never_used() -> None:
    styles = "p { font-family: DejaVu Sans, serif } b { font-family: monospace }"

    page = Page(html='<html lang="en"><title>x</title><p>text <b>more</b> 日本', styles=styles)

    assert embedded_fonts(engine.write_pdf(page)) <= {"Inter", "Inter-Bold", "Noto-Sans-JP", "Noto-Sans-JP-Semi-Bold"}


def test_programs_started_later_still_find_the_fonts_of_the_machine() -> None:
    assert "squill-fonts" not in os.environ.get("FONTCONFIG_FILE", "")


def test_a_picture_is_served_to_the_document_that_brought_it_and_to_no_other() -> None:
    page = compose(snapshot(payment_url=""))

    assert len(open_pdf(engine.write_pdf(page)).pages[0].images) == 1  # the code for banking apps
    without = Page(html=page.html, styles=page.styles)
    assert not open_pdf(engine.write_pdf(without)).pages[0].images
