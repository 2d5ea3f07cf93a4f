"""The incident that this project began with, as it was recorded."""

from __future__ import annotations

from bench.diagnosis.diagnose import diagnose
from tests.bench.diagnosis.cases import incident


def test_its_causes_are_named_and_efs_is_cleared() -> None:
    findings = {finding.rule: finding for finding in diagnose(incident())}

    assert list(findings) == ["cookie", "swap", "authentication", "iowait", "efs"]
    assert "85 % of the requests to one of 2 tasks" in findings["cookie"].summary
    assert "swap in use: 700 to 748 MB" in findings["swap"].evidence
    assert "authentication = bcrypt" in findings["authentication"].evidence
    assert findings["iowait"].advice.startswith("Give the instances memory first")
    assert findings["efs"].summary.startswith("EFS was not the limit")
    assert findings["efs"].evidence == [
        "0.8 % of the limit of operations at most",
        "2.30 TB of burst credits at least",
    ]
    assert findings["efs"].share == 0
