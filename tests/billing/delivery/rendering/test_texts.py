import pytest
from django.utils.translation import override

from billing.delivery.rendering.fonts import can_print
from billing.delivery.rendering.texts import cut, isolated, joined, printable, printable_snapshot
from tests.billing.delivery.rendering.snapshots import line, snapshot


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("Fenwick & Daly", "Fenwick & Daly"),
        ("a\u0000b\u0007\u001bc", "abc"),
        ("two\nlines\tand\u2028more", "two lines and more"),
        ("x\u202egnp.exe\u202c", "xgnp.exe"),  # it would read x.png backwards
        ("\u2066left\u2069", "left"),
        ("a\ufeff\U000e0041b", "ab"),
        ("\ufffe\ue000\ud800", "���"),
        ("e\u0301", "é"),
        ("Z" + "\u0301" * 40, "Ź\u0301\u0301\u0301"),
        ("株式会社 北京发票 서울 شركة שלום", "株式会社 北京发票 서울 شركة שלום"),
        ("สวัสดี", "swasdii"),
        ("😀", "[grinning face]"),
        ("ﬁne", "fine"),
        ("co\u00adop\u200b", "co\u00adop\u200b"),
    ],
)
def test_texts_are_made_fit_to_print(text: str, printed: str) -> None:
    assert printable(text) == printed


@pytest.mark.parametrize(
    "text",
    ["\u0295•\u1d25•\u0294", "ᚠᛇᚻ", "\U0001d49c\U0001d4c1", "꧁꧂", "नमस्ते", "გამარჯობა", "\U0001f468\u200d\U0001f469", "𠮷野家"],
)
def test_whatever_is_written_the_fonts_have_all_of_what_is_printed(text: str) -> None:
    assert printable(text)
    assert can_print(printable(text))


def test_every_text_of_a_snapshot_is_made_fit_and_the_numbers_stay() -> None:
    written = snapshot(lines=(line("a\u202eb", amount_minor=5, detail="\u0000"),), notes=("x\u0007",))

    read = printable_snapshot(written)

    assert (read.lines[0].description, read.lines[0].detail, read.notes) == ("ab", "", ("x",))
    assert (read.lines[0].amount_minor, read.lines[0].exact_amount, read.total_minor) == (
        5,
        written.lines[0].exact_amount,
        192_462,
    )


def test_parts_keep_their_direction_to_themselves_only_where_it_matters() -> None:
    with override("en"):
        assert joined("A", "", "B") == "A · B"
    with override("ar"):
        assert joined("A", "B") == "\u2068A\u2069 · \u2068B\u2069"
        assert isolated("") == ""


def test_a_cut_text_ends_with_an_ellipsis() -> None:
    assert cut("abcdef", 6) == "abcdef"
    assert cut("abc efg", 5) == "abc…"
