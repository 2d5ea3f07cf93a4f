"""Component and provider of the package. Pulumi infers the schema from annotations; the descriptions are ours."""

# Pulumi reads annotations as they are, so they must not be kept as text: no `from __future__ import annotations`.

import json
import re
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.errors import InputPropertiesError, InputPropertyErrorDetails
from pulumi.provider import ConstructResult
from pulumi.provider.experimental.analyzer import ComponentDefinition, PropertyDefinition
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.provider.server import ComponentInitError

from pypiserver_stack import server
from pypiserver_stack.common.schema_types import schema_type, typed_dict
from pypiserver_stack.outputs import Outputs
from pypiserver_stack.settings import ConfigurationError, Settings, SettingsError, allowed, default, read_settings
from pypiserver_stack.settings.groups.monitoring import ALARM_NAMES

PACKAGE = "pypiserver"
# A package that is taken from a folder or a repository has no version of its own: the source's counts.
VERSION = "0.0.0"
SECRET_OUTPUTS = ("password", "read_password", "upload_password")

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


class PypiServerProvider(ComponentProvider):
    """Makes `PypiServer` from what a program in any language asks for."""

    def __init__(self) -> None:
        super().__init__([PypiServerComponent], PACKAGE, version=VERSION)
        definition = self._component_defs[PypiServerComponent.__name__]
        self._names = {
            snake: camel
            for mapping in (definition.inputs_mapping, *(kind.properties_mapping for kind in self._type_defs.values()))
            for camel, snake in mapping.items()
            if camel != snake
        }
        schema = json.loads(self.schema or "{}")
        component = schema["resources"][f"{PACKAGE}:index:{PypiServerComponent.__name__}"]
        for camel, key in definition.inputs_mapping.items():
            given = component["inputProperties"][camel]
            given["description"] = self._in_camel_case(_meaning(key))
            # For plain objects in a list Pulumi's generator for Go names types that it does not generate.
            if "$ref" in given.get("items", ()):
                del given["items"]["plain"]
        for camel, name in definition.outputs_mapping.items():
            meaning = self.analyzer.get_docstring(Outputs, name) or ""
            component["properties"][camel] |= {
                "description": self._in_camel_case(meaning),
                "secret": name in SECRET_OUTPUTS,
            }
        self.schema = json.dumps(schema)

    def construct(
        self, name: str, resource_type: str, inputs: Any, options: pulumi.ResourceOptions | None = None
    ) -> ConstructResult:
        """Make the component.

        Raises:
            InputPropertiesError: with every mistake in the inputs. Pulumi tells these without a traceback.
        """
        try:
            return super().construct(name, resource_type, inputs, options)
        except ComponentInitError as error:
            if isinstance(error.inner, SettingsError):
                details: list[InputPropertyErrorDetails] = [
                    {
                        "property_path": re.sub(r"\w+", lambda part: self._names.get(part[0], part[0]), problem.key),
                        "reason": self._in_camel_case(problem.allowed),
                    }
                    for problem in error.inner.problems
                ]
                raise InputPropertiesError("the settings cannot be deployed", details) from error.inner
            if isinstance(error.inner, ConfigurationError):
                raise InputPropertiesError(self._in_camel_case(str(error.inner))) from error.inner
            raise

    def map_inputs(self, inputs: Any, component_def: ComponentDefinition) -> dict[str, Any]:
        """The inputs under our names. What is unknown or missing stays so: `Settings` say it, and all of it at once."""
        return self._mapped(inputs, component_def.inputs, component_def.inputs_mapping)

    def _mapped(self, values: Any, properties: dict[str, PropertyDefinition], names: dict[str, str]) -> dict[str, Any]:
        return {
            names.get(key, key): self._mapped_items(value, properties.get(key))
            for key, value in values.items()
            if value is not None
        }

    def _mapped_items(self, value: Any, definition: PropertyDefinition | None) -> Any:
        """`value`, and where it is a list of objects, their parts under our names."""
        if isinstance(value, list) and definition and definition.items and definition.items.ref:
            kind = self.get_type_definition(definition.items)
            assert kind is not None, "all of our types are our own"
            return [
                self._mapped(item, kind.properties, kind.properties_mapping) if isinstance(item, dict) else item
                for item in value
            ]
        return value

    def _in_camel_case(self, text: str) -> str:
        """A sentence with the names that its reader knows. An alarm is called cpu_credits too, and stays so."""
        return re.sub(
            r"\w+", lambda word: word[0] if word[0] in ALARM_NAMES else self._names.get(word[0], word[0]), text
        )


def _meaning(key: str) -> str:
    setting = Settings.model_fields[key]
    return f"{setting.description} Takes {allowed(key)}. Default: {default(key)}."
