"""Each check of the package, by small packages that must fail it."""

import zipfile
from pathlib import Path

import pytest

from infra.package import checks

RIGHT = dict.fromkeys(checks.REQUIRED, b"")


def packed(folder: Path, files: dict[str, bytes]) -> zipfile.ZipFile:
    with zipfile.ZipFile(folder / "package.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return zipfile.ZipFile(folder / "package.zip")


@pytest.fixture(scope="module")
def library(libraries: Path) -> bytes:
    """A real library, which needs libdatrie.so.1 and GLIBC_2.14."""
    return (libraries / "libthai.so.0").read_bytes()


def test_a_package_of_the_allowed_size_passes(tmp_path: Path) -> None:
    assert checks.check_size(packed(tmp_path, {"a": bytes(checks.MOST_MB << 20)})) == []


def test_a_package_that_is_a_byte_too_large_is_refused(tmp_path: Path) -> None:
    [problem] = checks.check_size(packed(tmp_path, {"a": bytes(checks.MOST_MB << 20), "b": b"!"}))

    assert problem == "unpacked it takes 220 MB, more than 220: leave something out in infra/package/runtime.py"


def test_what_has_all_its_files_and_no_other_passes(tmp_path: Path) -> None:
    assert checks.check_contents(packed(tmp_path, RIGHT)) == []


@pytest.mark.parametrize("name", checks.REQUIRED)
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    files = {other: content for other, content in RIGHT.items() if other != name}

    assert checks.check_contents(packed(tmp_path, files)) == [f"{name} is missing"]


@pytest.mark.parametrize(
    "name",
    [
        ".env",
        ".env.production",
        "squill/.env",
        ".git/config",
        "billing/.git/HEAD",
        "tests/conftest.py",
        "yaml/tests/test_all.py",
        "infra/package/checks.py",
        "pytest/__init__.py",
        "moto/core.py",
        "faker/proxy.py",
        "squill/server.key",
        "deploy/id_rsa",
        ".squill/test/postmaster.pid",
        "zappa_settings.json",
    ],
)
def test_what_must_not_be_deployed_is_named(tmp_path: Path, name: str) -> None:
    assert checks.check_contents(packed(tmp_path, RIGHT | {name: b""})) == [f"{name} must not be deployed"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_that_is_in_it_twice_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "package.zip", "w") as archive:
        for name in (*RIGHT, "manage.py"):
            archive.writestr(name, b"")

    assert checks.check_contents(zipfile.ZipFile(tmp_path / "package.zip")) == ["manage.py is in it twice"]


def test_a_private_key_is_found_in_any_text(tmp_path: Path) -> None:
    line = b"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"
    key = b"-----BEGIN RSA " + b"PRIVATE KEY-----\n" + line + b"\n-----END RSA " + b"PRIVATE KEY-----\n"
    files = {"squill/settings.py": b'KEY = """' + key + b'"""', "certifi/cacert.pem": b"-----BEGIN CERTIFICATE-----\n" + line}

    assert checks.check_private_keys(packed(tmp_path, files)) == ["squill/settings.py holds a private key"]


def test_code_that_only_names_the_header_of_a_key_passes(tmp_path: Path) -> None:
    files = {"cryptography/ssh.py": b'_SK_START = b"-----BEGIN OPENSSH ' + b'PRIVATE KEY-----"\n_SK_END = b"-----END"'}

    assert checks.check_private_keys(packed(tmp_path, files)) == []


def test_a_library_for_lambdas_glibc_passes(tmp_path: Path, library: bytes) -> None:
    archive = packed(tmp_path, {"lib/libthai.so.0": library, "lib/libdatrie.so.1": b"not looked into: no ELF file"})

    assert checks.check_versions(archive) == []


def test_a_library_for_a_newer_glibc_is_refused(tmp_path: Path, library: bytes) -> None:
    archive = packed(tmp_path, {"lib/libthai.so.0": library.replace(b"GLIBC_2.14\0", b"GLIBC_2.35\0")})

    assert checks.check_versions(archive) == ["lib/libthai.so.0 needs GLIBC 2.35, and Lambda has 2.34"]


def test_a_library_that_nobody_brings_is_named(tmp_path: Path, library: bytes) -> None:
    archive = packed(tmp_path, {"lib/libthai.so.0": library})

    assert checks.check_libraries(archive) == [
        "lib/libthai.so.0 needs libdatrie.so.1, which is neither in the package nor in Amazon Linux 2023"
    ]


def test_libraries_that_need_each_other_pass(tmp_path: Path, libraries: Path, library: bytes) -> None:
    datrie = (libraries / "libdatrie.so.1").read_bytes()
    archive = packed(tmp_path, {"lib/libthai.so.0": library, "lib/libdatrie.so.1": datrie})

    assert checks.check_libraries(archive) == []


def test_a_stage_that_shows_tracebacks_is_refused(tmp_path: Path) -> None:
    [problem] = checks.check_settings(packed(tmp_path, {"zappa_settings.py": b"# Generated\nDEBUG=True\n"}))

    assert '"debug" to false' in problem


def test_a_stage_that_zappa_took_for_one_with_websockets_is_refused(tmp_path: Path) -> None:
    [problem] = checks.check_settings(packed(tmp_path, {"zappa_settings.py": b"WEBSOCKET_HANDLER_MODULE='x.handler'\n"}))

    assert "unpacked in the checkout" in problem
