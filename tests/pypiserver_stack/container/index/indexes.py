"""An index over a directory whose file calls are counted."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from pypiserver_stack.container.base.records import RecordStore
from pypiserver_stack.container.base.system_calls import SystemCalls
from pypiserver_stack.container.index.package_index import PackageIndex
from tests.pypiserver_stack.container.index.counted_calls import CountedCalls

MARGIN_S = 2.0


def new_index(root: Path, calls: SystemCalls) -> PackageIndex:
    return PackageIndex(root, RecordStore(root, calls), margin_s=MARGIN_S, calls=calls)


def digests_of(index: PackageIndex, project: str) -> dict[str, str]:
    page = index.project_page(project, as_json=True)
    assert page is not None
    return {file["filename"]: file["hashes"]["sha256"] for file in json.loads(page.body)["files"]}


def settle(index: PackageIndex, calls: CountedCalls, project: str) -> None:
    """Ask until the directory and the files are trusted."""
    for _ in range(3):
        index.project_page(project, as_json=True)
        calls.now_s += MARGIN_S
    index.project_page(project, as_json=True)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
