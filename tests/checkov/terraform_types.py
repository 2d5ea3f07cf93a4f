"""What arguments Terraform's resource types have, as the provider that pulumi_aws is made from defines them.

`python -m tests.checkov.terraform_types FOLDER` writes the file that the rendering goes by, from the provider's
bindings for Python: FOLDER is what `uv pip install --no-deps --target FOLDER cdktn-provider-aws` filled.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

from bench.deployment.local_cloud.computed import RESOURCES

PATH = Path(__file__).with_name("terraform_types.json")

Arguments = dict[str, Any]
"""Name of an argument to what it holds: "value", "map", "any" (bindings that say no more), or a block's arguments."""

_OWN_NAMES = {"aws:lb/loadBalancer:LoadBalancer": "aws_lb"}
_WITHOUT_MODULE = {"ec2"}
"""Modules that Pulumi sorts types into and Terraform does not name."""
_SAID_TO_TERRAFORM = re.compile(r"_cdktn_\w+\.(?!IResolvable)")
"""Annotations of what the provider never sees, such as depends_on."""


def terraform_type(type_: str) -> str:
    """`aws_ecs_service` for `aws:ecs/service:Service`."""
    if type_ in _OWN_NAMES:
        return _OWN_NAMES[type_]
    package, module, _ = type_.split(":")
    folder, _, name = module.partition("/")
    return "_".join((package, *(() if folder in _WITHOUT_MODULE else (folder,)), snake(name)))


def snake(name: str) -> str:
    """`vpc_zone_identifier` for `vpcZoneIdentifier`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


@cache
def arguments() -> dict[str, Arguments]:
    """The arguments of every AWS type in use, by Terraform's name."""
    known: dict[str, Arguments] = json.loads(PATH.read_text())
    return known


def read(bindings: Path, type_: str) -> Arguments:
    """The arguments of a Terraform type.

    Raises:
        FileNotFoundError: there is no such type.
    """
    folder = bindings / "cdktn_provider_aws" / type_.removeprefix("aws_")
    classes = {
        node.name: node
        for node in ast.parse((folder / "__init__.py").read_text()).body
        if isinstance(node, ast.ClassDef)
    }
    (config,) = (name for name, node in classes.items() if _is_of_resource(node))
    return _arguments(config, classes)


def _is_of_resource(node: ast.ClassDef) -> bool:
    return [ast.unparse(base).rpartition(".")[2] for base in node.bases] == ["TerraformMetaArguments"]


def _arguments(name: str, classes: dict[str, ast.ClassDef]) -> Arguments:
    (init,) = (node for node in classes[name].body if isinstance(node, ast.FunctionDef) and node.name == "__init__")
    return {
        argument.arg: _held(ast.unparse(argument.annotation), classes)
        for argument in init.args.kwonlyargs
        if argument.annotation is not None and not _SAID_TO_TERRAFORM.search(ast.unparse(argument.annotation))
    }


def _held(annotation: str, classes: dict[str, ast.ClassDef]) -> Any:
    blocks = [name for name in re.findall(r"'(\w+)'", annotation) if name in classes]
    if blocks:
        return _arguments(blocks[0], classes)
    if "Mapping" in annotation:
        return "map"
    return "any" if annotation in ("typing.Any", "typing.Optional[typing.Any]") else "value"


if __name__ == "__main__":
    types = sorted(terraform_type(type_) for type_ in RESOURCES if type_.startswith("aws:"))
    lines = [f"{json.dumps(type_)}: {json.dumps(read(Path(sys.argv[1]), type_))}" for type_ in types]
    PATH.write_text("{\n" + ",\n".join(lines) + "\n}\n")
