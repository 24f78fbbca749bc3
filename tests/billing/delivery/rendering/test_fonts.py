import os
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from billing.delivery.rendering import fonts

FACES = {"Inter-Regular.ttf": 400, "Inter-Medium.ttf": 500, "Inter-SemiBold.ttf": 600, "Inter-Bold.ttf": 700}


@pytest.mark.parametrize(("name", "weight"), FACES.items())
def test_each_face_is_a_static_truetype_font_with_the_signs_of_an_invoice(name: str, weight: int) -> None:
    path = fonts.FOLDER / name
    assert path.read_bytes()[:4] == b"\x00\x01\x00\x00"  # TrueType; woff2 would take a second to unpack at every start
    assert path.stat().st_size < 150_000
    with TTFont(path) as font:
        assert font["OS/2"].usWeightClass == weight
        assert "fvar" not in font
        known = font.getBestCmap()
    signs = "−–…·€£¥₹₩₺₿ÄßčřŁğșțΩжЖїЇẾ\u00a0\u202f"
    assert [sign for sign in signs if ord(sign) not in known] == []


def test_the_licence_and_the_origin_are_kept_beside_the_fonts() -> None:
    assert "SIL OPEN FONT LICENSE Version 1.1" in (fonts.FOLDER / "OFL.txt").read_text()
    assert "4.001" in (fonts.FOLDER / "README.md").read_text()
    assert {path.name for path in fonts.FOLDER.glob("*.ttf")} == set(FACES)


def test_the_environment_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FONTCONFIG_FILE", "/the/operators/own.conf")
    with fonts.only_packaged_fonts():
        settings = Path(os.environ["FONTCONFIG_FILE"]).read_text()
    assert f"<dir>{fonts.FOLDER}</dir>" in settings
    assert os.environ["FONTCONFIG_FILE"] == "/the/operators/own.conf"

    monkeypatch.delenv("FONTCONFIG_FILE")
    with fonts.only_packaged_fonts():
        pass
    assert "FONTCONFIG_FILE" not in os.environ


def test_missing_fonts_are_refused_before_pango_can_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "FOLDER", tmp_path)
    with pytest.raises(fonts.FontsMissing, match="incomplete"), fonts.only_packaged_fonts():
        pass


@pytest.mark.parametrize(
    ("text", "printable"),
    [
        ("1 November 2026", True),
        ("1 ноября 2026", True),
        ("1 Νοεμβρίου 2026", True),
        ("2026年11月1日", False),
        ("1 نوفمبر", False),
    ],
)
def test_letters_are_printable_in_the_alphabets_of_the_fonts(text: str, printable: bool) -> None:
    assert fonts.can_print(text) is printable
