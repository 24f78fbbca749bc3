"""Which Python packages run on Lambda, and what of them."""

from pathlib import Path

from infra.package import runtime


def test_what_only_the_command_line_needs_is_left_out_of_the_lock() -> None:
    django = "django==5.2.19 \\\n    --hash=sha256:aa\n    # via squill"
    pip = "pip==26.3 \\\n    --hash=sha256:bb"
    zappa = "zappa==0.63.0 \\\n    --hash=sha256:cc\n"

    assert runtime.without_command_line("\n".join((django, pip, zappa))) == "\n".join((django, zappa))


def test_every_package_that_is_left_out_is_still_locked() -> None:
    """Otherwise the name is a mistake, or the package is gone, and the line can go too."""
    names = {line.partition("==")[0] for line in runtime.LOCK.read_text(encoding="utf-8").splitlines()}

    assert names >= runtime.COMMAND_LINE_ONLY


def test_trimming_keeps_what_runs(tmp_path: Path) -> None:
    kept = [
        "a/__init__.py",
        "a/locale/de/LC_MESSAGES/django.mo",
        "botocore/data/s3/service-2.json.gz",
        "botocore/data/endpoints.json",
    ]
    kept += ["a.dist-info/METADATA"]
    gone = ["bin/a", "a/locale/de/LC_MESSAGES/django.po", "a/tests/test_a.py", "a/fast.c", "a.dist-info/RECORD"]
    gone += ["a/__pycache__/__init__.cpython-313.pyc", "botocore/data/braket/service-2.json.gz"]
    for name in (*kept, *gone):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    runtime.trim(tmp_path)

    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()) == sorted(kept)
