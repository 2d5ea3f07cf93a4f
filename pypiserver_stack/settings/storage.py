"""The file system of the packages."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pypiserver_stack.settings.kinds import Group


class StorageSettings(Group):
    """Storage."""

    efs_throughput_mode: Literal["elastic", "bursting", "provisioned"] = Field(
        default="elastic",
        description="Where throughput comes from. elastic: paid by use. bursting: credits that grow with what is stored.",
    )
