"""What AWS computes for copies of the file system."""

from __future__ import annotations

from collections.abc import Mapping

from bench.deployment.local_cloud.computed.identity import Compute, Computed, Identity, Inputs
from bench.deployment.local_cloud.computed.ids import named, uuid_of


def _backup_plan(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    id_ = uuid_of(identity)
    arn = identity.arn("backup", f"backup-plan:{id_}")
    return id_, {"name": inputs.get("name", identity.physical_name), "arn": arn}


def _backup_selection(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    return uuid_of(identity), {"name": inputs.get("name", identity.physical_name)}


RESOURCES: Mapping[str, Compute] = {
    "aws:backup/plan:Plan": _backup_plan,
    "aws:backup/selection:Selection": _backup_selection,
    "aws:backup/vault:Vault": named("backup", "backup-vault:"),
}
