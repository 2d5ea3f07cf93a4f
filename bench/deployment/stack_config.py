"""A stack's configuration: Pulumi.yaml, Pulumi.<stack>.yaml and what the command line overrides.

Read as the Pulumi CLI reads it, so that the stack files are the same for `pulumi up` and for a run without the CLI.
"""

from __future__ import annotations

import difflib
import inspect
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from bench.common.failures import UsageError
from bench.deployment.engine import StackConfig
from pypiserver_stack.common.text import valid_text

PROJECT_FOLDER = Path(__file__).resolve().parents[2]
"""The folder of the program, of Pulumi.yaml and of the stack files."""
# As Pulumi names stacks; an organization or a project before the name is not part of the file's name. With a hyphen
# first the CLI takes a name for options.
STACK_NAME = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]{0,99}")
# The benchmark's own parameters in a stack file: `bench:clients` and the like.
_BENCH = "bench"
# What Pulumi takes for every provider.
_OF_EVERY_PROVIDER = {"pluginDownloadURL", "version"}


def load_stack(project_dir: Path, stack: str, overrides: Sequence[str] = ()) -> tuple[StackConfig, dict[str, str]]:
    """The configuration of a stack, and the benchmark's own parameters in its file.

    Args:
        project_dir: the folder of Pulumi.yaml and the stack files.
        overrides: `key=value`; a key without namespace is the project's.

    Returns:
        The configuration, and the text of each `bench:` key without its namespace.

    Raises:
        UsageError: a file is missing or is no YAML mapping, an override is not `key=value`, a key has a namespace that
            nobody reads, or the region does not exist.
    """
    if not STACK_NAME.fullmatch(stack):
        raise UsageError(
            f"{stack!r} is not a stack name: name it as in Pulumi.NAME.yaml, by letters, digits, underscores, "
            "periods and, but for the first, hyphens, without organization or project"
        )
    project_settings = _read(project_dir / "Pulumi.yaml")
    project = str(project_settings.get("name", ""))
    path = project_dir / f"Pulumi.{stack}.yaml"
    if not path.is_file():
        there_are = ", ".join(sorted(_stacks(project_dir))) or "none"
        raise UsageError(f"there is no stack {stack!r} (no {path.name} in {project_dir}); the stacks are {there_are}")
    stack_settings = _read(path)

    declared = _namespaced(project, _declared_defaults(project_settings))
    configured = _namespaced(project, stack_settings.get("config") or {})
    overridden = _namespaced(project, dict(_override(text) for text in overrides))
    for source, keys in (("Pulumi.yaml", declared), (path.name, configured), ("-c", overridden)):
        _refuse_unknown_keys(keys, project, source)
    values = {**declared, **configured, **overridden}
    _refuse_unknown_region(values)
    texts = {key: _text(value) for key, value in values.items() if not _is_encrypted(value)}
    for text in (stack, *texts, *texts.values()):
        if valid_text(text) != text:
            raise UsageError(f"{text!r} is not UTF-8: settings and stack names are text")
    prefix = f"{_BENCH}:"
    config = StackConfig(
        project=project,
        stack=stack,
        values={key: text for key, text in texts.items() if not key.startswith(prefix)},
        encrypted={key: value for key, value in values.items() if _is_encrypted(value)},
        encryption_salt=stack_settings.get("encryptionsalt", ""),
    )
    return config, {key.removeprefix(prefix): text for key, text in texts.items() if key.startswith(prefix)}


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{path} is missing: it names the project") from None
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UsageError(f"{path}{line}: {error.problem}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no YAML: {' '.join(str(error).split())}") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    try:
        json.dumps(content, default=str)
    except (ValueError, TypeError, RecursionError) as error:
        raise UsageError(
            f"{path} holds a value that contains itself, or a key that is no text: write it out"
        ) from error
    if not isinstance(content or {}, dict) or not isinstance((content or {}).get("config") or {}, dict):
        raise UsageError(f"{path} and its `config` must be mappings of keys to values")
    return content or {}


def _stacks(project_dir: Path) -> list[str]:
    return [path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in project_dir.glob("Pulumi.*.yaml")]


def _declared_defaults(project_settings: Mapping[str, Any]) -> dict[str, Any]:
    """A key is declared by a scalar, its default, or by an object that may hold a `default` or a `value`."""
    defaults = {}
    for key, declaration in (project_settings.get("config") or {}).items():
        if not isinstance(declaration, dict):
            defaults[key] = declaration
        elif "default" in declaration or "value" in declaration:
            defaults[key] = declaration.get("value", declaration.get("default"))
    return defaults


def _override(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals or key.count(":") > 1 or key.startswith(":") or key.endswith(":"):
        raise UsageError(f"-c {text}: expected KEY=VALUE, such as -c profile=heavy")
    return key, value


def _namespaced(project: str, values: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key) if ":" in str(key) else f"{project}:{key}": value for key, value in values.items()}


def _is_encrypted(value: Any) -> bool:
    if isinstance(value, dict):
        return value.keys() == {"secure"} or any(_is_encrypted(item) for item in value.values())
    return isinstance(value, list) and any(_is_encrypted(item) for item in value)


def _text(value: Any) -> str:
    """The text that Pulumi passes for a YAML value."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool | int | float | dict | list):
        return json.dumps(value, separators=(",", ":"), sort_keys=True, default=str)
    return str(value)


def _refuse_unknown_keys(keys: Iterable[str], project: str, source: str) -> None:
    """Refuse a namespace, or a setting of the AWS provider, that does not exist: it would be ignored.

    Args:
        keys: with their namespaces.
        source: where they come from, for the message.
    """
    namespaces = (project, _BENCH, "aws", "pulumi")
    for key in keys:
        namespace, _, name = key.partition(":")
        if namespace not in namespaces:
            hint = _hint(namespace, namespaces, "the namespaces are")
            raise UsageError(f"{source}: {key} has an unknown namespace; {hint}")
        if namespace == "aws" and name not in (settings := _provider_settings()):
            raise UsageError(
                f"{source}: {key} is not a setting of the AWS provider; {_hint(name, settings, 'it takes')}"
            )


def _refuse_unknown_region(values: Mapping[str, Any]) -> None:
    """Refuse an `aws:region` that the AWS provider does not know, unless `aws:skipRegionValidation` allows it."""
    region = values.get("aws:region")
    is_newer = str(values.get("aws:skipRegionValidation")).lower() == "true"
    if region is None or is_newer or region in (regions := _regions()):
        return
    hint = _hint(str(region), regions, "the regions are")
    raise UsageError(
        f"aws:region={region}: the AWS provider knows no such region; {hint} "
        "For a newer one set aws:skipRegionValidation to true"
    )


def _provider_settings() -> Collection[str]:
    from pulumi_aws import ProviderArgs  # takes a second, and not every stack file has settings of the provider

    names = list(inspect.signature(ProviderArgs.__init__).parameters)[1:]
    return {re.sub(r"_(.)", lambda letter: letter[1].upper(), name) for name in names} | _OF_EVERY_PROVIDER


def _regions() -> Collection[str]:
    from pulumi_aws import Region

    return [region.value for region in Region]


def _hint(word: str, known: Iterable[str], otherwise: str) -> str:
    nearest = difflib.get_close_matches(word, sorted(known), n=1)
    return f"did you mean {nearest[0]}?" if nearest else f"{otherwise} {', '.join(sorted(known))}."
