"""How a resource of one Pulumi type is made, changed, found and removed in the stand-in of AWS."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from bench.deployment.local_cloud import ACCOUNT_ID, REGION, Record
from tests.aws_stand_in.clients import client

_ABSENT = re.compile(r"NotFound|NoSuch|NotExist|NonExistent|Malformed|InactiveException|^404$", re.IGNORECASE)


class Aws:
    """The clients with which resources are mirrored."""

    def __call__(self, service: str, record: Record | None = None) -> Any:
        """The client of a service, in the region of a resource."""
        return client(service, record.inputs.get("region", REGION) if record else REGION)


@dataclass(frozen=True)
class Mirror:
    """One type. The functions of the class get the clients and the resource as the local cloud holds it."""

    make: Callable[[Aws, Record], Mapping[str, Any]]
    """Makes it and gives the outputs that AWS decides on; `id` among them, where AWS gives the id."""
    remove: Callable[[Aws, Record], object]
    look: Callable[[Aws, Record], object]
    """Something true where it exists; an error that says so, or nothing, where it does not."""
    change: Callable[[Aws, Record], object] = lambda aws, record: None
    """Makes it what the record now says, as far as anything reads it."""

    def exists(self, aws: Aws, record: Record) -> bool:
        try:
            return bool(self.look(aws, record))
        except ClientError as error:
            if _ABSENT.search(error.response["Error"]["Code"]):
                return False
            raise


def ec2_arn(path: str) -> str:
    return f"arn:aws:ec2:{REGION}:{ACCOUNT_ID}:{path}"


def nothing(aws: Aws, record: Record) -> None:
    """What goes with its parent is not removed by itself."""


def tag_list(record: Record) -> list[dict[str, str]]:
    """The tags of a resource as most services write them."""
    return [{"Key": key, "Value": value} for key, value in record.inputs.get("tags", {}).items()]


def tagged(kind: str, record: Record) -> list[dict[str, Any]]:
    """The tags as EC2 takes them while it makes a resource."""
    tags = tag_list(record)
    return [{"ResourceType": kind, "Tags": tags}] if tags else []


def capitals(value: Any) -> Any:
    """The same with a capital letter at the beginning of each key, as boto3 has them."""
    if isinstance(value, Mapping):
        return {key[0].upper() + key[1:]: capitals(item) for key, item in value.items()}
    return [capitals(item) for item in value] if isinstance(value, list) else value


def given(record: Record, *names: str) -> dict[str, Any]:
    """Those of the inputs that the program gave, with capital letters."""
    return {name[0].upper() + name[1:]: capitals(record.inputs[name]) for name in names if name in record.inputs}
