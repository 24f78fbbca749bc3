import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.core.management import CommandError, call_command

CHECKOUT = Path(__file__).resolve().parents[3]


def document(quantity: object = "3") -> dict[str, Any]:
    line = {"id": "api", "charge": {"model": "per_unit", "unit_amount": "0.5"}, "quantity": quantity}
    return {"currency": "EUR", "lines": [line]}


def calculate(*arguments: str) -> str:
    out = io.StringIO()
    call_command("calculate", *arguments, stdout=out)
    return out.getvalue()


def give_input(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


class TestOneDocument:
    def test_the_answer_is_one_json_document(self, tmp_path: Path) -> None:
        file = tmp_path / "invoice.json"
        file.write_text(json.dumps(document(), indent=1))
        assert json.loads(calculate(str(file)))["due"] == "1.5"

    def test_a_dash_reads_standard_input(self, monkeypatch: pytest.MonkeyPatch) -> None:
        give_input(monkeypatch, json.dumps(document()))
        assert json.loads(calculate("-"))["due"] == "1.5"

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (json.dumps(document("-3")), r"lines\[0\].quantity: must be zero or more"),
            (
                json.dumps(document(1.5)),
                r'lines\[0\].quantity: is a binary number, which is not exact: write it as a string, "1.5"',
            ),
            ("{", "is not JSON"),
            ('{\n "currency": "EUR",\n "lines": [\n  {"id": "a"}\n ]\n', "is not JSON"),
            ("[]", "must be an object, got a list"),
        ],
    )
    def test_a_bad_document_fails_and_answers_nothing(self, tmp_path: Path, text: str, message: str) -> None:
        file = tmp_path / "invoice.json"
        file.write_text(text)
        out = io.StringIO()
        with pytest.raises(CommandError, match=message):
            call_command("calculate", str(file), stdout=out)
        assert out.getvalue() == ""

    def test_a_file_that_is_not_there(self) -> None:
        with pytest.raises(CommandError, match=r"cannot read nowhere\.json: No such file"):
            calculate("nowhere.json")

    def test_a_file_that_is_no_text(self, tmp_path: Path) -> None:
        file = tmp_path / "invoice.json"
        file.write_bytes(b"\xff\xfe\x00")
        with pytest.raises(CommandError, match="is not UTF-8 text"):
            calculate(str(file))


class TestManyDocuments:
    LINES: ClassVar = [json.dumps(document("1")), "nonsense", json.dumps(document("-1")), "", json.dumps(document("2"))]

    def check(self, *arguments: str) -> None:
        """Good lines are answered, bad ones say why, the empty one is passed over, and the command fails at the end."""
        out = io.StringIO()
        with pytest.raises(CommandError, match="documents that could not be calculated: 2"):
            call_command("calculate", *arguments, stdout=out)
        answers = [json.loads(line) for line in out.getvalue().splitlines()]
        assert [answer.get("due") for answer in answers] == ["0.5", None, None, "1"]
        assert answers[1] == {"error": "is not JSON: Expecting value at line 1, column 1"}
        assert answers[2]["error"].startswith("lines[0].quantity: must be zero or more")

    def test_a_file_of_lines(self, tmp_path: Path) -> None:
        file = tmp_path / "invoices.ndjson"
        file.write_text("\n".join(self.LINES))
        self.check(str(file))

    def test_lines_on_standard_input_are_seen_to_be_lines(self, monkeypatch: pytest.MonkeyPatch) -> None:
        give_input(monkeypatch, "\n".join(self.LINES))
        self.check("-")

    def test_any_file_can_be_read_as_lines(self, tmp_path: Path) -> None:
        file = tmp_path / "invoices.txt"
        file.write_text("\n".join(self.LINES))
        self.check(str(file), "--ndjson")

    def test_a_first_line_that_is_bad_does_not_hide_the_rest(self, monkeypatch: pytest.MonkeyPatch) -> None:
        give_input(monkeypatch, "oops\n" + json.dumps(document()))
        out = io.StringIO()
        with pytest.raises(CommandError, match="could not be calculated: 1"):
            call_command("calculate", "-", stdout=out)
        assert json.loads(out.getvalue().splitlines()[1])["due"] == "1.5"

    def test_only_good_lines_succeed(self, tmp_path: Path) -> None:
        file = tmp_path / "invoices.jsonl"
        file.write_text(json.dumps(document("1")) + "\n")
        assert json.loads(calculate(str(file)))["due"] == "0.5"


def test_it_needs_no_database(tmp_path: Path) -> None:
    file = tmp_path / "invoice.json"
    file.write_text(json.dumps(document()))
    environment = {**os.environ, "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing"}
    command = [sys.executable, str(CHECKOUT / "manage.py"), "calculate", str(file)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["due"] == "1.5"
    file.write_text("{}")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "currency: is missing" in done.stderr
