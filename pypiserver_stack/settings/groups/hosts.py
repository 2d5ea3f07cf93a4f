"""Settings of an instance: image, disk, price model, and additions to ECS."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

import pulumi
from pydantic import Field, WithJsonSchema

from pypiserver_stack.settings.policy_document import PolicyDocument
from pypiserver_stack.settings.problems import Problem
from pypiserver_stack.settings.types import OBJECTS, Group, KmsKeyArn, ListEntry, only, reference

# What the stack's own user data writes, or its files are mounted from.
RESERVED_PATHS = ("/etc/ecs/", "/opt/pypiserver/", "/etc/pypiserver/")
BURSTABLE = re.compile(r"t\d[a-z]*\.", re.ASCII)
_PUBLIC_KEY = r"(ssh-(rsa|ed25519)|ecdsa-sha2-nistp(256|384|521)|sk-[a-z0-9@.-]+) [A-Za-z0-9+/]+=*( [^\n]*)?"
_IMAGE: Any = reference(r"ami-[0-9a-f]{8,17}", "the id of an AMI")


class HostUser(ListEntry):
    """Somebody with an account on each instance."""

    name: str = Field(pattern=r"^[a-z_][a-z0-9_-]{0,31}$")
    ssh_authorized_keys: tuple[
        Annotated[
            str, Field(pattern=f"^{_PUBLIC_KEY}$"), WithJsonSchema({"type": "string", "takes": "a public SSH key"})
        ],
        ...,
    ] = ()
    sudo: bool = False


class HostFile(ListEntry):
    """A file on each instance."""

    path: Annotated[str, only(lambda path: posixpath.normpath(path) == path)] = Field(
        pattern=r"^/[A-Za-z0-9._@+/-]+$", json_schema_extra={"takes": "an absolute path of a file"}
    )
    content: Annotated[str | pulumi.Output[Any], WithJsonSchema({"type": "string", "takes": "text"})]
    permissions: str = Field(
        default="0644", pattern=r"^0[0-7]{3}$", json_schema_extra={"takes": "four octal digits in quotes"}
    )


class HostSettings(Group):
    """Instances in detail."""

    ami_id: _IMAGE | None = None
    """AMI of the instances, ECS-optimised and of the architecture of instance_type; computed: the newest Amazon Linux
    2023 one, so that a later `pulumi up` may replace the instances."""
    root_volume_gb: int = Field(default=30, ge=30, le=16384)
    """Size of an instance's disk in GB; the ECS-optimised AMI takes 30 at least."""
    root_volume_kms_key_arn: KmsKeyArn | None = None
    """Key that the disks are encrypted with, without it AWS's own; its policy must let the Auto Scaling service role
    use it, or no instance starts."""
    cpu_credits: Literal["standard", "unlimited"] | None = None
    """Behaviour of a burstable instance without CPU credits: standard throttles it to its baseline, unlimited bills
    for more. Computed: unlimited where instance_type is burstable, for a new T3 starts without credits."""
    detailed_monitoring_enabled: bool = False
    """EC2 metrics each minute and not every five, for a fee; those of memory come so anyway."""
    spot_enabled: bool = False
    """Run on Spot Instances what is above spot_on_demand_base_count."""
    spot_on_demand_base_count: int = Field(default=1, ge=0, le=1000)
    """On-demand instances that are there first, where spot_enabled is true."""
    host_users: Annotated[tuple[HostUser, ...], OBJECTS] = ()
    """Accounts on each instance. No port is open for SSH: they are for SSH through Session Manager, which needs no
    account by itself."""
    host_extra_files: Annotated[tuple[HostFile, ...], OBJECTS] = ()
    """Files on each instance; not for secrets, for user data can be read."""
    host_extra_commands: Annotated[
        tuple[Annotated[str, Field(min_length=1), WithJsonSchema({"type": "string", "takes": "a shell command"})], ...],
        OBJECTS,
    ] = ()
    """Shell commands that each instance runs as root at its first boot, after ours."""
    instance_extra_policy: PolicyDocument | None = None
    """Rights of the instances' role besides those that the stack itself needs."""

    def contradictions(self) -> Iterator[Problem]:
        """Names and paths that are there twice or taken."""
        yield from _repeated("host_users", "name", [user.name for user in self.host_users])
        yield from _repeated("host_extra_files", "path", [file.path for file in self.host_extra_files])
        for i, user in enumerate(self.host_users):
            if user.name in ("root", "ec2-user"):
                yield Problem(f"host_users[{i}].name", user.name, "not an account that the image has already")
        for i, file in enumerate(self.host_extra_files):
            if file.path.startswith(RESERVED_PATHS):
                allowed = f"not below {', '.join(RESERVED_PATHS)}, which the stack writes itself"
                yield Problem(f"host_extra_files[{i}].path", file.path, allowed)


def _repeated(key: str, part: str, values: Sequence[str]) -> Iterator[Problem]:
    for i, value in enumerate(values):
        if value in values[:i]:
            yield Problem(f"{key}[{i}].{part}", value, f"once only, and {key}[{values.index(value)}] has it")
