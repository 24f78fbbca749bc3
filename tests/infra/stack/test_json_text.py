import json

import pytest

from infra.stack.json_text import put

TEXT = '{ "a" : {"b":1,\n  "c": [ 1,2 ] , "d": {}},\n\t"e": "}{\\"",\n "f": {\n    "g": true\n  }\n}\n'


@pytest.mark.parametrize(
    ("path", "value", "after"),
    [
        (("a", "b"), 2, TEXT.replace('"b":1', '"b":2')),
        (("a", "c"), [3], TEXT.replace("[ 1,2 ]", "[3]")),
        (("e",), "x", TEXT.replace('"}{\\""', '"x"')),
        (("f", "g"), {"h": None}, TEXT.replace("true", '{"h": null}')),
        (("f", "new"), "n", TEXT.replace('"g": true', '"new": "n",\n    "g": true')),
        (("a", "d", "new"), 1, TEXT.replace("{}", '{"new": 1}')),
        (("a", "new"), 1, TEXT.replace('{"b"', '{"new": 1, "b"')),
    ],
)
def test_only_the_value_changes(path: tuple[str, ...], value: object, after: str) -> None:
    assert put(TEXT, path, value) == after
    assert json.loads(after) != json.loads(TEXT)


def test_what_means_the_same_is_not_touched() -> None:
    assert put(TEXT, ("a", "c"), [1, 2]) == TEXT
    assert put(TEXT, ("a", "d"), {}) == TEXT


@pytest.mark.parametrize(("path", "missing"), [(("x", "y"), "x"), (("a", "x", "y"), "x"), (("e", "y"), "e")])
def test_an_object_that_is_not_there_is_named(path: tuple[str, ...], missing: str) -> None:
    with pytest.raises(KeyError, match=rf"^'{missing}'$"):
        put(TEXT, path, 1)
