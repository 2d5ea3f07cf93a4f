"""What AWS computes for copies of the file system."""

from __future__ import annotations

from collections.abc import Mapping

from bench.deployment.local_cloud.computed.ids import named, uuid_of
from bench.deployment.local_cloud.computed.origin import Compute, Computed, Inputs, Origin


def _backup_plan(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    id_ = uuid_of(origin)
    arn = origin.arn("backup", f"backup-plan:{id_}")
    return id_, {"name": inputs.get("name", origin.physical_name), "arn": arn}


def _backup_selection(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    return uuid_of(origin), {"name": inputs.get("name", origin.physical_name)}


RESOURCES: Mapping[str, Compute] = {
    "aws:backup/plan:Plan": _backup_plan,
    "aws:backup/selection:Selection": _backup_selection,
    "aws:backup/vault:Vault": named("backup", "backup-vault:"),
}
