"""The start of a task: what is patched, and whose files are imported."""

from __future__ import annotations

import json
from pathlib import Path

from tests.pypiserver_stack.container.running_task import start_task

APPLICATION = """
import json, sys
from gevent import monkey

report = {
    "patched": monkey.is_module_patched("threading") and monkey.is_module_patched("socket"),
    "imported": [name for name in ("bottle", "pypiserver", "passlib") if name in sys.modules],
}
from pypiserver_stack.container.entry.wsgi import application as index

report["files"] = {name: module.__file__ for name, module in sys.modules.items() if name.startswith("pypiserver_stack")}


def application(environ, start_response):
    body = json.dumps(report).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""


def test_a_task_patches_first_and_imports_its_own_files(tmp_path: Path) -> None:
    """Here, pypiserver_stack is installed as well."""
    (tmp_path / "report.py").write_text(APPLICATION)
    with start_task(tmp_path, packages=tmp_path / "packages", app="report:application") as task:
        report = json.loads(task.request("GET", "/")[2])
    assert report["patched"]
    assert report["imported"] == []
    assert len(report["files"]) > 30
    assert {Path(file).is_relative_to(tmp_path) for file in report["files"].values()} == {True}
