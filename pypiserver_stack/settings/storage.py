"""The file system of the packages."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pypiserver_stack.settings.kinds import Group


class StorageSettings(Group):
    """Storage."""

    efs_throughput_mode: Literal["elastic", "bursting", "provisioned"] = Field(
        default="elastic",
        description="How EFS gives throughput. elastic: paid by use. bursting: from credits, by what is stored.",
    )
