import pytest
from django.test import Client
from pytest_django import Settings

ORIGIN = "https://app.example"


@pytest.fixture
def allowed(settings: Settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]


@pytest.mark.usefixtures("allowed")
def test_a_named_origin_may_call_the_api_from_a_browser(client: Client) -> None:
    answer = client.options(
        "/api/v1/events",
        HTTP_ORIGIN=ORIGIN,
        HTTP_ACCESS_CONTROL_REQUEST_METHOD="POST",
        HTTP_ACCESS_CONTROL_REQUEST_HEADERS="authorization",
    )
    assert answer.status_code == 200
    assert answer["Access-Control-Allow-Origin"] == ORIGIN
    assert "authorization" in answer["Access-Control-Allow-Headers"]


@pytest.mark.usefixtures("allowed")
def test_another_origin_and_another_path_are_told_nothing(client: Client) -> None:
    elsewhere = "https://elsewhere.example"
    stranger = client.options("/api/v1/events", HTTP_ORIGIN=elsewhere, HTTP_ACCESS_CONTROL_REQUEST_METHOD="POST")
    assert "Access-Control-Allow-Origin" not in stranger
    pages = client.get("/portal/sign-in", HTTP_ORIGIN=ORIGIN)
    assert "Access-Control-Allow-Origin" not in pages


def test_no_origin_may_call_unless_the_setting_names_it(client: Client) -> None:
    answer = client.options("/api/v1/events", HTTP_ORIGIN=ORIGIN, HTTP_ACCESS_CONTROL_REQUEST_METHOD="POST")
    assert "Access-Control-Allow-Origin" not in answer
