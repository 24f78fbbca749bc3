"""
Make the fonts of documents anew: subsets of the faces in unpacked npm packages, and the list of the letters they cover.

    .venv/bin/python .ci/fonts.py FOLDER    # holds the folders arabic, hebrew, jp, kr and sc: `npm pack`, unpacked
    .venv/bin/python .ci/fonts.py           # only writes the list of letters anew

Inter is made by hand (billing/delivery/fonts/README.md), since its files are packed.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

FONTS = Path(__file__).resolve().parents[1] / "billing" / "delivery" / "fonts"
WEIGHTS = ("400Regular", "600SemiBold")
ARABIC_FEATURES = ["init", "medi", "fina", "isol", "rlig", "calt", "ccmp", "mark", "mkmk", "liga", "kern", "locl", "curs"]
IDEOGRAPHS = range(0x4E00, 0xA000)
# Pango takes blanks and joiners from the font of the letter before them.
BLANKS = {0x20, 0xA0, 0x202F, 0x3000, *range(0x2009, 0x2010)}


def encodable(codec: str) -> set[int]:
    """Return the characters that a double-byte code of a country holds, ASCII apart."""
    found = set()
    for lead in range(0x81, 0xFF):
        for trail in range(0x40, 0xFF):
            try:
                found |= {ord(letter) for letter in bytes((lead, trail)).decode(codec)}
            except UnicodeDecodeError:
                continue
    return {point for point in found if point > 0x7F and not 0xE000 <= point < 0xF900}


def letters() -> dict[str, set[int]]:
    """Return what each family is to hold; a letter that an earlier family has is not kept twice."""
    japanese = encodable("cp932") | set(range(0xFF61, 0xFFA0)) | set(range(0x3000, 0x3040))
    chinese = {point for point in encodable("gb2312") | _frequent_traditional() if point in IDEOGRAPHS}
    korean = {point for point in encodable("euc_kr") if 0xAC00 <= point < 0xD7A4}
    latin = set(TTFont(FONTS / "Inter-Regular.ttf").getBestCmap())
    return {
        "arabic": set(range(0x0600, 0x0700)) | {0x25CC, 0xFDFC},
        "hebrew": set(range(0x0591, 0x05F5)) | {0x25CC},
        "jp": japanese - latin,
        "kr": korean,
        "sc": chinese - japanese,
    }


def _frequent_traditional() -> set[int]:
    # Big5's first level, 5,401 characters: lead bytes A4 to C6.
    return {
        ord(letter)
        for lead in range(0xA4, 0xC7)
        for trail in (*range(0x40, 0x7F), *range(0xA1, 0xFF))
        for letter in bytes((lead, trail)).decode("big5", errors="ignore")
    }


def make(folder: Path) -> None:
    for family, points in letters().items():
        for weight in WEIGHTS:
            [source] = (folder / family / "package" / weight).glob("*.ttf")
            options = subset.Options(
                hinting=False,
                notdef_outline=True,
                layout_features=ARABIC_FEATURES if family in ("arabic", "hebrew") else ["ccmp"],
                name_IDs=[0, 1, 2, 3, 4, 5, 6, 13, 14, 16, 17],
                drop_tables=[*subset.Options().drop_tables, "STAT", "meta", "BASE", "VORG", "vhea", "vmtx", "DSIG", "GDEF"]
                if family in ("jp", "kr", "sc")
                else [*subset.Options().drop_tables, "STAT", "meta"],
            )
            font = subset.load_font(source, options)
            maker = subset.Subsetter(options)
            maker.populate(unicodes=points | BLANKS)
            maker.subset(font)
            font.save(FONTS / source.name.replace("_400", "-").replace("_600", "-"), reorderTables=True)


def ranges(points: Iterable[int]) -> Iterator[tuple[int, int]]:
    first = last = -1
    for point in sorted(points):
        if point != last + 1:
            if first >= 0:
                yield first, last
            first = point
        last = point
    yield first, last


def write_coverage() -> None:
    """List the letters that every weight can print, as ranges in hexadecimal."""
    families: dict[str, set[int]] = {}
    for path in sorted(FONTS.glob("*.ttf")):
        family, points = path.name.partition("-")[0], set(TTFont(path).getBestCmap())
        families[family] = families.get(family, points) & points
    every = set().union(*families.values())
    text = "\n".join(f"{first:04X}" if first == last else f"{first:04X}-{last:04X}" for first, last in ranges(every))
    (FONTS / "coverage.txt").write_text(text + "\n", encoding="ascii")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        make(Path(sys.argv[1]))
    write_coverage()
