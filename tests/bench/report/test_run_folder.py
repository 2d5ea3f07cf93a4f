"""The results folder: what is in it, that it is whole, and what happens when it cannot be written."""

from __future__ import annotations

import errno
import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from bench.common.failures import DiskFullError, UsageError
from bench.deployment.graph import Resource
from bench.load.samples import Recorder, Samples
from bench.report.build import RunRecord
from bench.report.model import Report
from bench.report.report_blocks import REPORT
from bench.report.run_folder import RunFolder
from tests.bench.report.reports import build_report

STARTED_AT = datetime(2026, 11, 23, 20, 15, tzinfo=UTC)
PASSWORD = "correct-horse-battery-staple"


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path / "results", STARTED_AT)


def names(folder: RunFolder) -> list[str]:
    return sorted(path.name for path in folder.path.iterdir())


def test_the_name_is_the_start_in_utc_and_four_random_digits(folder: RunFolder) -> None:
    assert re.fullmatch(r"20261123-201500-[0-9a-f]{4}", folder.run_id)
    assert folder.path.is_dir()


def test_runs_of_the_same_second_get_folders_of_their_own(tmp_path: Path) -> None:
    folders = {RunFolder.create(tmp_path, STARTED_AT).run_id for _ in range(300)}

    assert len(folders) == 300


def test_what_is_written_can_be_read_back(folder: RunFolder, report: Report, samples: Samples) -> None:
    REPORT.write(report, folder)
    folder.write_samples(samples)
    folder.write_infrastructure([], set())

    assert names(folder) == ["infrastructure.json", "report.json", "report.md", "samples.npz"]
    assert Report.model_validate_json((folder.path / "report.json").read_text()) == report
    np.testing.assert_array_equal(Samples.load(folder.path / "samples.npz").done_s, samples.done_s)
    assert json.loads((folder.path / "infrastructure.json").read_text()) == {"resources": []}


def test_a_second_report_replaces_the_first(folder: RunFolder, record: RunRecord) -> None:
    REPORT.write(build_report(record, STARTED_AT), folder)
    record.warnings.append("written after going down")
    REPORT.write(build_report(record, STARTED_AT), folder)

    assert names(folder) == ["report.json", "report.md"]
    assert "written after going down" in (folder.path / "report.json").read_text()
    assert "written after going down" in (folder.path / "report.md").read_text()


def test_no_file_holds_a_secret(folder: RunFolder, record: RunRecord, samples: Samples) -> None:
    """Not where it is marked, not where nobody marked it, not where an error quotes it."""
    secret = Resource(
        urn="urn:secret",
        type="aws:secretsmanager/secretVersion:SecretVersion",
        name="secret",
        parent="",
        inputs={"secretString": json.dumps({"username": "pypi", "password": PASSWORD})},
        secret_paths=frozenset({"secretString"}),
        dependencies=(),
        outputs={"secretString": PASSWORD},
    )
    task = Resource(
        urn="urn:task",
        type="aws:ecs/taskDefinition:TaskDefinition",
        name="task",
        parent="",
        inputs={"containerDefinitions": json.dumps([{"environment": [{"name": "P", "value": PASSWORD}]}])},
        secret_paths=frozenset(),
        dependencies=(),
    )
    record.secrets.add(PASSWORD)
    record.warnings.append(f"GET http://pypi:{PASSWORD}@127.0.0.1:40123/simple/ answered 401 to {PASSWORD}")

    REPORT.write(build_report(record, STARTED_AT), folder)
    folder.write_samples(samples)
    folder.write_infrastructure([secret, task], record.secrets)

    assert len(names(folder)) == 4
    for path in folder.path.iterdir():
        assert PASSWORD.encode() not in path.read_bytes(), path.name
    assert "answered 401 to [secret]" in (folder.path / "report.json").read_text()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_and_the_old_file_stays_whole(
    folder: RunFolder, report: Report, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    REPORT.write(report, folder)
    before = (folder.path / "report.json").read_bytes()

    def fail_after_a_few_bytes(path: Path, text: str, **_: object) -> None:
        path.write_bytes(text.encode()[:10])
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "write_text", fail_after_a_few_bytes)

    with pytest.raises(DiskFullError, match=r"report\.json"):
        REPORT.write(report, folder)
    assert (folder.path / "report.json").read_bytes() == before
    assert names(folder) == ["report.json", "report.md"]


def test_a_truly_full_device(report: Report, tmp_path: Path) -> None:
    """/dev/full accepts an open and refuses every write, as a full disk does."""
    folder = RunFolder(tmp_path)
    (tmp_path / ".unfinished-report.json").symlink_to("/dev/full")

    with pytest.raises(DiskFullError, match=r"report\.json"):
        REPORT.write(report, folder)
    assert names(folder) == []


def test_a_full_device_is_named_for_samples_too(tmp_path: Path) -> None:
    (tmp_path / ".unfinished-samples.npz").symlink_to("/dev/full")

    with pytest.raises(DiskFullError, match=r"samples\.npz"):
        RunFolder(tmp_path).write_samples(Recorder(("burst",), tmp_path, started_s=0.0).finish())
    assert names(RunFolder(tmp_path)) == []


def test_results_that_are_no_folder(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file")

    with pytest.raises(UsageError, match=r"--results: cannot write .*results"):
        RunFolder.create(tmp_path / "results", STARTED_AT)


def test_results_that_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "results").symlink_to(tmp_path / "gone" / "away")

    with pytest.raises(UsageError, match="--results: cannot write"):
        RunFolder.create(tmp_path / "results", STARTED_AT)


def test_results_that_may_not_be_written() -> None:
    with pytest.raises(UsageError, match=r"--results: cannot write /proc/results/.*: name a folder"):
        RunFolder.create(Path("/proc/results"), STARTED_AT)
