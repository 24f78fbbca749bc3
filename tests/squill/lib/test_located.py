"""YAML and JSON with the line of every member."""

import pytest

from squill.lib.located import Located, LocatedError, path_text, read_located


def test_scalars_stay_the_text_that_was_written() -> None:
    located = read_located('{a: 0.10, b: "0.10", c: 1e3, d: 0x10, e: null, f: true, g: 2026-01-01, h: 012}')
    assert located.value == {
        "a": "0.10", "b": "0.10", "c": "1e3", "d": "0x10", "e": None, "f": True, "g": "2026-01-01", "h": "012"
    }  # fmt: skip


def test_every_member_has_the_line_of_its_name() -> None:
    located = read_located("a: 1\nb:\n  - x\n  - y:\n      z: 1\n")
    assert located.lines == {(): 1, ("a",): 1, ("b",): 2, ("b", 0): 3, ("b", 1): 4, ("b", 1, "y"): 4, ("b", 1, "y", "z"): 5}


def test_json_with_tabs_and_escapes_is_read() -> None:
    located = read_located('{\n\t"a": "caf\\u00e9 \\ud83d\\ude00",\n\t"b": [true, null]\n}')
    assert located.value == {"a": "café 😀", "b": [True, None]}
    assert located.lines[("b",)] == 3


def test_an_error_of_a_missing_member_is_at_what_should_hold_it() -> None:
    located = read_located("a:\n  b: 1\n")
    error = located.error(("a", "c", 0), "is missing")
    assert (error.line, error.path, str(error)) == (1, "a.c[0]", "line 1: a.c[0]: is missing")
    assert Located(None).error((), "is empty").line == 1


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a: 1\nb: 2\na: 3", 3, "'a' stands twice"),
        ('{"a": 1,\n "a": 2}', 2, "'a' stands twice"),
        ("a: 1\nb: [", 2, "not YAML or JSON"),
        ("? [a, b]\n: 1", 1, "a key must be a word"),
        ("a: \x01", 1, "not text"),
        ("a: &x\n  b: *x", 1, "contains itself"),
        ("[" * 1500, 1, "nested too deep"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(text: str, line: int, says: str) -> None:
    with pytest.raises(LocatedError, match=says) as caught:
        read_located(text)
    assert caught.value.line == line


def test_aliases_that_multiply_are_refused() -> None:
    levels = "\n".join(f"l{level}: &l{level} [{', '.join([f'*l{level - 1}'] * 9)}]" for level in range(1, 9))
    with pytest.raises(LocatedError, match="too many members"):
        read_located(f"l0: &l0 [x]\n{levels}\n")


def test_a_path_is_written_as_people_read_it() -> None:
    assert path_text(("plans", 0, "charges", 2, "tiers")) == "plans[0].charges[2].tiers"
