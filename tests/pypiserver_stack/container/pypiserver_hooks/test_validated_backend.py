"""pypiserver's own routes over the index, beside the same routes over its simple-dir."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from pypiserver import app_from_config, setup_routes_from_config
from pypiserver.backend import BackendProxy
from pypiserver.bottle_wrapper import HTTPError
from pypiserver.config import Config

from pypiserver_stack.container.base.records import RecordStore
from pypiserver_stack.container.files.package_store import PackageStore
from pypiserver_stack.container.index.package_index import PackageIndex
from pypiserver_stack.container.pypiserver_hooks.validated_backend import ValidatedBackend
from pypiserver_stack.container.pypiserver_hooks.walking_backend import WalkingBackend

Ask = Callable[..., tuple[int, dict[str, str], bytes]]

SEARCH = (
    b"<?xml version='1.0'?><methodCall><methodName>search</methodName><params><param><value><struct><member>"
    b"<name>name</name><value><array><data><value><string>a</string></value></data></array></value></member></struct>"
    b"</value></param></params></methodCall>"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    packages = tmp_path / "packages"
    (packages / "sub").mkdir(parents=True)
    for name in ("a-1.0.tar.gz", "a-2.0-py3-none-any.whl", "sub/A-3.0.zip", "other_project-1.0.zip", "notes.txt"):
        (packages / name).write_bytes(name.encode())
    return packages


def config_of(root: Path, **settings: Any) -> Any:
    return Config.default_with_overrides(
        roots=[root], backend_arg="simple-dir", authenticate=[], password_file=".", disable_fallback=True, **settings
    )


def backend_of(config: Any, root: Path) -> ValidatedBackend:
    records = RecordStore(root)
    return ValidatedBackend(config, PackageIndex(root, records, margin_s=2.0), PackageStore(root, records))


@pytest.fixture
def simple_dir(root: Path) -> Ask:
    return asking(config_of(root))


@pytest.fixture
def validated(root: Path) -> Ask:
    config = config_of(root)
    config.backend = BackendProxy(backend_of(config, root))
    return asking(config)


def asking(config: Any) -> Ask:
    """A client of the WSGI application, with no server between."""
    app = setup_routes_from_config(app_from_config(config), config)

    def ask(method: str, path: str, body: bytes = b"", kind: str = "") -> tuple[int, dict[str, str], bytes]:
        answered: list[Any] = []
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "SCRIPT_NAME": "",
            "QUERY_STRING": "",
            "SERVER_NAME": "host",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_TYPE": kind,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(body),
            "wsgi.errors": BytesIO(),
        }
        parts = app(environ, lambda status, headers, error=None: answered.extend([status, headers]))
        content = b"".join(parts)
        if hasattr(parts, "close"):
            parts.close()
        return int(answered[0].split()[0]), dict(answered[1]), content

    return ask


@pytest.mark.parametrize(
    "path",
    [
        "/packages/",
        "/a/json",
        "/other-project/json",
        "/unknown/json",
        "/simple/",
        "/simple/a/",
        "/simple/unknown/",
    ],
)
def test_pages_are_those_of_simple_dir(simple_dir: Ask, validated: Ask, path: str) -> None:
    expected = simple_dir("GET", path)

    status, _, body = validated("GET", path)

    assert (status, sorted(body.splitlines())) == (expected[0], sorted(expected[2].splitlines()))
    assert path in ("/unknown/json", "/simple/unknown/") or status == 200


def test_a_search_finds_what_simple_dir_finds(simple_dir: Ask, validated: Ask) -> None:
    def found(ask: Ask) -> list[str]:
        status, _, body = ask("POST", "/RPC2", SEARCH, "text/xml")
        assert status == 200
        return sorted(re.findall(r"<string>([^<]*)</string>", body.decode()))

    assert found(validated) == found(simple_dir)
    assert "2.0" in found(validated)


def test_files_are_found_in_every_directory(validated: Ask) -> None:
    status, _, body = validated("GET", "/packages/sub/A-3.0.zip")

    assert (status, body) == (200, b"sub/A-3.0.zip")
    assert validated("GET", "/packages/notes.txt")[0] == 404


def test_a_file_that_is_replaced_has_its_new_digest_at_once(root: Path, validated: Ask) -> None:
    before = validated("GET", "/packages/")[2]
    (root / ".new").write_bytes(b"replaced")
    (root / ".new").rename(root / "a-1.0.tar.gz")

    after = validated("GET", "/packages/")[2]

    assert before != after
    assert len(before) == len(after)


def test_a_removed_package_is_gone_with_its_digest(root: Path, validated: Ask) -> None:
    validated("GET", "/packages/")
    form = urlencode({":action": "remove_pkg", "name": "a", "version": "1.0"}).encode()

    assert validated("POST", "/", form, "application/x-www-form-urlencoded")[0] == 200

    assert not (root / "a-1.0.tar.gz").exists()
    assert b"a-1.0.tar.gz" not in validated("GET", "/simple/a/")[2]
    assert set(json.loads(validated("GET", "/a/json")[2])["releases"]) == {"2.0", "3.0"}
    assert validated("POST", "/", form, "application/x-www-form-urlencoded")[0] == 404


def test_removing_takes_the_record_along(root: Path) -> None:
    backend = backend_of(config_of(root), root)
    backend.add_package("new-1.0.zip", BytesIO(b"new"))
    records = set((root / ".digests").iterdir())
    (package,) = backend.find_version("new", "1.0")

    backend.remove_package(package)

    assert len(records) == 1
    assert not set((root / ".digests").iterdir())
    assert not backend.exists("new-1.0.zip")
    assert list((root / "by-project").iterdir()) == []


def test_a_package_that_is_added_is_there_whole(root: Path) -> None:
    backend = backend_of(config_of(root), root)
    assert not backend.exists("new-1.0.zip")

    backend.add_package("new-1.0.zip", BytesIO(b"n" * 3_000_000))

    assert backend.exists("new-1.0.zip")
    assert (root / "by-project" / "new" / "new-1.0.zip").read_bytes() == b"n" * 3_000_000
    assert len(list(backend.get_all_packages())) == 5
    assert set(backend.get_projects()) == {"a", "new", "other-project"}


def test_a_name_that_is_taken_meanwhile_is_refused_unless_overwriting_is_on(root: Path) -> None:
    backend = backend_of(config_of(root), root)
    with pytest.raises(HTTPError) as refused:
        backend.add_package("a-1.0.tar.gz", BytesIO(b"new"))
    assert refused.value.status_code == 409

    backend_of(config_of(root, overwrite=True), root).add_package("a-1.0.tar.gz", BytesIO(b"new"))
    assert (root / "a-1.0.tar.gz").read_bytes() == b"new"


def test_the_hash_that_pypiserver_was_told_to_use_is_used(root: Path) -> None:
    for algorithm, prefix in (("sha256", "sha256="), ("md5", "md5=")):
        backend = backend_of(config_of(root, hash_algo=algorithm), root)
        (package,) = backend.find_version("a", "1.0")
        assert str(backend.digest(package)).startswith(prefix)
    backend = backend_of(config_of(root, hash_algo=None), root)
    assert backend.digest(package) is None


def test_a_directory_that_vanished_is_503_and_no_empty_list(root: Path, validated: Ask) -> None:
    assert validated("GET", "/packages/")[0] == 200
    root.rename(root.with_name("unmounted"))

    for path in ("/packages/", "/a/json"):
        status, headers, _ = validated("GET", path)
        assert (status, headers["Retry-After"]) == (503, "2")


@pytest.mark.parametrize("kind", ["simple-dir", "validated"])
def test_a_file_that_cannot_be_removed_is_named_with_what_may_be_gone(root: Path, kind: str) -> None:
    config = config_of(root)
    (root / "a-1.0-py3-none-any.whl").touch()
    backend = backend_of(config, root) if kind == "validated" else WalkingBackend(config, RecordStore(root))
    config.backend = BackendProxy(backend)
    packages = list(backend.find_version("a", "1.0"))
    assert len(packages) == 2
    (root / "a-1.0.tar.gz").unlink()
    (root / "a-1.0.tar.gz").mkdir()  # what a removal fails at, whoever runs it

    answers = []
    for package in packages:
        try:
            backend.remove_package(package)
        except HTTPError as error:
            answers.append((error.status_code, error.body, dict(error.headerlist)["Retry-After"]))

    ((status, sentence, retry_after_s),) = answers
    assert (status, retry_after_s) == (503, "10")
    assert sentence.startswith("'a-1.0.tar.gz' could not be removed: ")
    assert "Other files of a 1.0 may be gone already." in sentence
    assert not (root / "a-1.0-py3-none-any.whl").exists()
