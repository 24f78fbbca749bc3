"""The finished package, run where there is nothing but Python and what the package brings."""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from infra.package import __main__, checks, runtime
from infra.package.places import PackageError
from tests.billing.delivery.rendering.reading import embedded_fonts, whole_text
from tests.golden.books import bill, day, sell, subscribe, use
from tests.infra.package.clean_root import make_clean_root, run_in

SETTINGS = {
    "SQUILL_PRODUCTION": "true",
    "SQUILL_HOME": "/tmp/squill",
    "SQUILL_STATIC_ROOT": "/var/task/static",
    "SQUILL_SECRET_KEY": "made up for a test " + "x" * 50,
    # Nobody is there: neither a PDF nor these pages ask the database anything.
    "DATABASE_URL": "postgresql://squill@127.0.0.1:1/squill",
    "SQUILL_ALLOWED_HOSTS": "billing.example",
    "SQUILL_BASE_URL": "https://billing.example",
    "SQUILL_STATIC_URL": "https://billing.example/static/",
    "SQUILL_DOCUMENTS_BUCKET": "documents",
    "SQUILL_MAIL": "ses",
    "SQUILL_FROM_EMAIL": "billing@billing.example",
    "AWS_REGION": "eu-central-1",
}
# As the bootstrap of Lambda's Python does: the package is put on the path, and no variable says so to other processes.
START = "import sys; sys.path.insert(0, '/var/task')\n"
RENDER = (
    START
    + """
import base64, json, os, time
import handler  # it sets the environment of the stage
handler.LambdaHandler()
from billing.delivery.rendering.pdf import render_pdf
from billing.invoicing.snapshot import from_json
snapshot = from_json(json.load(sys.stdin))
answer = {"seconds": []}
for _twice in range(2):
    began = time.perf_counter()
    answer["pdf"] = base64.b64encode(render_pdf(snapshot)).decode()
    answer["seconds"].append(time.perf_counter() - began)
print(json.dumps(answer))
"""
)
ASK = (
    START
    + """
import json
import handler
event = json.load(sys.stdin)
print(json.dumps(handler.lambda_handler(event, None)))
"""
)


@pytest.fixture(scope="module")
def root(package_tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("root")
    make_clean_root(folder, package_tree)
    return folder


@pytest.fixture
def invoice(db: None) -> dict[str, Any]:
    """What a finalised invoice keeps of itself."""
    sell('{code: calls, meter: calls, model: per_unit, unit_amount: "0.10"}')
    subscribe()
    use("january", "900", day(1, 10))
    kept: dict[str, Any] = bill(day(2, 1)).snapshot
    return kept


def test_it_renders_an_invoice_where_there_is_no_pango_and_no_font(root: Path, invoice: dict[str, Any]) -> None:
    assert not list(root.glob("[!v]*/**/libpango*"))
    assert not list(root.glob("[!v]*/**/fonts.conf"))

    done = run_in(root, RENDER, stdin=json.dumps(invoice), **SETTINGS)

    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    document = base64.b64decode(answer["pdf"])
    text = whole_text(document)
    assert invoice["number"] in text
    assert "Amount due EUR €90.00" in text  # 900 x 0.10
    assert {name.partition("-")[0] for name in embedded_fonts(document)} == {"Inter"}
    # The process that lays documents out was kept, so that the second one did not load Pango again.
    first, second = answer["seconds"]
    assert second < first / 2


def test_without_the_path_to_its_libraries_it_renders_nothing(root: Path, invoice: dict[str, Any]) -> None:
    """The control: were there a Pango elsewhere in the root, the test above would prove nothing."""
    done = run_in(root, RENDER, stdin=json.dumps(invoice), **SETTINGS, LD_LIBRARY_PATH="/var/lang/lib")

    assert done.returncode != 0
    assert "cannot load library" in done.stderr


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/static/squill/portal.css", "The look of the customer portal"),
        ("/static/unfold/css/styles.css", "{"),
        ("/portal/sign-in", "/static/squill/portal.css"),
    ],
)
def test_its_handler_serves_pages_and_their_styles(root: Path, path: str, content: str) -> None:
    event = {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": "GET",
        "headers": {"Host": "billing.example"},
        "multiValueHeaders": {"Host": ["billing.example"]},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {},
        "requestContext": {"stage": "dev", "identity": {"sourceIp": "192.0.2.1"}, "path": path},
        "body": None,
        "isBase64Encoded": False,
    }

    done = run_in(root, ASK, stdin=json.dumps(event), **SETTINGS)

    assert done.returncode == 0, done.stderr
    response = json.loads(done.stdout.splitlines()[-1])
    assert response["statusCode"] == 200
    assert content in response["body"]


def test_it_passes_every_check(package_zip: Path) -> None:
    assert checks.problems(package_zip) == []


def test_made_again_it_is_the_same_to_the_byte(package_zip: Path) -> None:
    before = hashlib.sha256(package_zip.read_bytes()).hexdigest()

    made = __main__.package("dev")

    assert made == package_zip
    assert hashlib.sha256(made.read_bytes()).hexdigest() == before


def test_a_stage_that_is_not_in_the_settings_is_answered_with_those_that_are() -> None:
    with pytest.raises(PackageError, match="has no stage prod: use dev, "):
        __main__.package("prod")


def test_every_module_is_compiled(package_tree: Path) -> None:
    """What is not would be compiled anew at each cold start, since /var/task cannot be written to."""
    ours = [
        path for name in ("squill", "billing", "usage", "customers", "django") for path in (package_tree / name).rglob("*.py")
    ]
    missing = [path for path in ours if not (path.parent / "__pycache__" / f"{path.stem}.cpython-313.pyc").exists()]

    assert len(ours) > 500
    assert [path for path in missing if "conf" not in path.parts] == []


def test_every_service_that_code_asks_for_is_described(package_tree: Path) -> None:
    """boto3's descriptions of other services are left out (KEPT_SERVICES)."""
    folders = ("squill", "billing", "usage", "customers", "django_ses", "storages", "zappa/handler.py", "zappa/asynchronous.py")
    asked = set()
    for name in folders:
        place = package_tree / name
        for path in [place] if place.is_file() else place.rglob("*.py"):
            asked |= set(re.findall(r"""(?:client|resource)\(\s*["']([a-z0-9-]+)["']""", path.read_text(encoding="utf-8")))

    assert {"s3", "lambda"} <= asked
    assert asked <= runtime.KEPT_SERVICES
    described = {path.name for path in (package_tree / "botocore" / "data").iterdir() if path.is_dir()}
    assert described == runtime.KEPT_SERVICES
