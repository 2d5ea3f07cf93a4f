"""The stress stack with one setting of the Terraform module put back: the finding names that setting.

Real tasks behind a real balancer, under a load in which the setting shows; and the same load on the stack as it is.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.bench.command_line import Bench


@dataclass(frozen=True)
class PutBack:
    """One setting, and a load in which it shows."""

    setting: str
    rule: str
    load: tuple[str, ...]
    besides: tuple[str, ...] = ()
    """What is changed in both stacks."""

    def __str__(self) -> str:
        return self.setting


BCRYPT = PutBack("authentication=bcrypt", "authentication", ("--packages", "5", "--clients", "40"))
OTHERS = (
    PutBack("backend=simple-dir", "index", ("--clients", "300")),
    # The jar fills in the first round; in each further one all clients have the cookie from the beginning.
    PutBack("stickiness_enabled=true", "cookie", ("--packages", "5", "--cookies", "shared", "--duration", "4")),
    # Connections that a burst has left are used again about two seconds later, when tasks close them.
    PutBack(
        "gunicorn_keepalive_s=2",
        "keep_alive",
        ("--workload", "production_incident", "--burst-interval", "2.2", "--duration", "18"),
    ),
    PutBack(
        "container_memory_mb=128",
        "memory",
        ("--packages", "5", "--clients", "800"),
        besides=("-c", "gunicorn_workers=8"),
    ),
)


def findings(bench: Bench, *options: str) -> list[dict[str, Any]]:
    known = set(bench.results.glob("*"))
    bench.run("run", "--tasks", "2", *options)
    (folder,) = set(bench.results.glob("*")) - known
    found: list[dict[str, Any]] = json.loads((folder / "report.json").read_text())["findings"]
    return found


@pytest.mark.parametrize(
    "put_back", [BCRYPT, *(pytest.param(one, marks=pytest.mark.thorough) for one in OTHERS)], ids=str
)
def test_the_finding_names_the_setting_that_was_put_back(in_process_bench: Bench, put_back: PutBack) -> None:
    found = findings(in_process_bench, "-c", put_back.setting, *put_back.besides, *put_back.load)
    # On a busy machine the load generator may be a finding of its own.
    (cause,) = (finding for finding in found if finding["rule"] == put_back.rule)
    name = put_back.setting.partition("=")[0]
    assert name in " ".join([*cause["evidence"], cause["advice"]])

    without = findings(in_process_bench, *put_back.besides, *put_back.load)
    assert put_back.rule not in [finding["rule"] for finding in without]
