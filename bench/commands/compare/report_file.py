"""A report.json of a run that is over, read by what it says it is: fields that a later version added are ignored."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError
from pydantic_core import from_json

from bench.common.failures import IncomparableError
from bench.report.model import Report

FILE_NAME = "report.json"
SCHEMA_VERSION = 1


def path_of(given: Path) -> Path:
    """The report that a path means: a results folder stands for the one in it."""
    try:
        return given / FILE_NAME if given.is_dir() else given
    except OSError:  # such as a name that is too long: reading it says so
        return given


def read_report(path: Path, what: str) -> Report:
    """The report in a file, which is `what` to the comparison.

    Raises:
        IncomparableError: there is no such file, it is not a report, or it is one of another schema version.
    """
    text = _text(path, what)
    try:
        content = from_json(text)
    except ValueError as error:
        raise IncomparableError(f"the {what} {path} is not JSON: {error}") from error
    if not isinstance(content, dict) or "schema_version" not in content:
        raise IncomparableError(f"the {what} {path} is JSON but not a report: it has no field schema_version")
    if content["schema_version"] != SCHEMA_VERSION:
        raise IncomparableError(
            f"the {what} {path} has schema_version {content['schema_version']!r} and this program reads "
            f"{SCHEMA_VERSION}: compare with the version that wrote it, or measure again"
        )
    try:
        return Report.model_validate_json(text, extra="ignore")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise IncomparableError(
            f"the {what} {path} is not a report of schema_version {SCHEMA_VERSION}: field {field}: {first['msg']}"
        ) from error


def _text(path: Path, what: str) -> str:
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise IncomparableError(f"there is no {what}: {path} does not exist") from None
    except OSError as error:
        raise IncomparableError(f"there is no {what}: {path} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise IncomparableError(f"the {what} {path} is not UTF-8 text, so it is not a {FILE_NAME}") from error
    if not text.strip():
        raise IncomparableError(f"the {what} {path} is empty: measure again")
    return text
