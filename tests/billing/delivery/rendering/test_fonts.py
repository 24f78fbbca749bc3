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


NOTO = {
    "NotoSansArabic": "شركة،؟",
    "NotoSansHebrew": "שלום״",
    "NotoSansJP": "請求書ア髙㈱①、。",
    "NotoSansKR": "서울",
    "NotoSansSC": "发货币",
}


@pytest.mark.parametrize("family", NOTO)
@pytest.mark.parametrize(("style", "weight"), [("Regular", 400), ("SemiBold", 600)])
def test_other_scripts_have_static_truetype_fonts_of_two_weights(family: str, style: str, weight: int) -> None:
    path = fonts.FOLDER / f"{family}-{style}.ttf"
    assert path.stat().st_size < 2_500_000
    with TTFont(path) as font:
        assert (font["OS/2"].usWeightClass, "fvar" in font, "glyf" in font) == (weight, False, True)
        known = font.getBestCmap()
    # Blanks too: Pango takes them from the font of the letter before.
    assert [sign for sign in NOTO[family] + " \u00a0" if ord(sign) not in known] == []


def test_the_licence_and_the_origin_are_kept_beside_the_fonts() -> None:
    for name in ("OFL.txt", "OFL-Noto-Sans-CJK.txt", "OFL-Noto-Sans-Arabic.txt", "OFL-Noto-Sans-Hebrew.txt"):
        assert "SIL OPEN FONT LICENSE Version 1.1" in (fonts.FOLDER / name).read_text()
    origin = (fonts.FOLDER / "README.md").read_text()
    assert all(version in origin for version in ("4.001", "2.004", "2.012", "3.001"))
    named = {f"{family}-{style}.ttf" for family in NOTO for style in ("Regular", "SemiBold")}
    assert {path.name for path in fonts.FOLDER.glob("*.ttf")} == set(FACES) | named


def test_the_list_of_letters_is_that_of_the_fonts() -> None:
    families: dict[str, set[int]] = {}
    for path in fonts.FOLDER.glob("*.ttf"):
        family = path.name.partition("-")[0]
        with TTFont(path) as font:
            known = set(font.getBestCmap())
        families[family] = families.get(family, known) & known

    assert fonts.coverage() == set().union(*families.values())


@pytest.mark.parametrize("codec", ["cp932", "gb2312"])
def test_the_everyday_characters_of_japan_and_china_are_all_there(codec: str) -> None:
    letters = {
        letter
        for lead in range(0x81, 0xF8)
        for trail in range(0x40, 0xFF)
        for letter in bytes((lead, trail)).decode(codec, errors="ignore")
    }
    assert "".join(sorted(letter for letter in letters if "\u4e00" <= letter < "\ua000" and not fonts.can_print(letter))) == ""


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
        ("2026年11月1日", True),
        ("1 نوفمبر", True),
        ("2026년 11월 1일", True),
        ("1 नवंबर", False),
        ("๑", False),
    ],
)
def test_letters_are_printable_in_the_alphabets_of_the_fonts(text: str, printable: bool) -> None:
    assert fonts.can_print(text) is printable
