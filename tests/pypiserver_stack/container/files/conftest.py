"""An index that takes uploads."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pypiserver_stack.container.files.upload_index import UploadIndex


@pytest.fixture
def index(tmp_path: Path) -> UploadIndex:
    return UploadIndex(tmp_path / "packages", ours=True)
