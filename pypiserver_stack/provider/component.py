"""The component of the package; its schema is inferred from annotations."""

# Pulumi reads these annotations as they are, so they must not be kept as text: no `from __future__ import annotations`.

from typing import TYPE_CHECKING, Any

import pulumi

from pypiserver_stack import server
from pypiserver_stack.common.schema_types import schema_type, typed_dict
from pypiserver_stack.settings import Settings, read_settings

if TYPE_CHECKING:
    PypiServerArgs = dict[str, Any]
else:
    PypiServerArgs = typed_dict(
        "PypiServerArgs",
        {key: schema_type(setting.annotation) for key, setting in Settings.model_fields.items()},
        Settings.__doc__,
    )


class PypiServerComponent(server.PypiServer):
    """A private Python package index on AWS: pypiserver in ECS tasks on EC2, packages on EFS, a balancer in front."""

    def __init__(self, name: str, args: PypiServerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, read_settings(args), opts)


# The name of the component in every language, which Pulumi takes from the class.
PypiServerComponent.__name__ = server.PypiServer.__name__
