"""Secrets kept out of what is written down: the resources of a deployment, and sentences that may quote one."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from bench.deployment.graph import Resource
from pypiserver_stack.hosts.user_data import decoded

HIDDEN = "[secret]"

# To the last @: a password may hold one, or a slash, unquoted. Only from the first "://" of a word, so that a word with
# many of them and no @ takes linear time.
_URL_CREDENTIALS = re.compile(r"(?<!\S)((?>\S*?://))\S+(?=@)")
_NOTHING = r"(?!)"
# A shorter secret also stands in other words by coincidence ("true", "admin"): it is hidden where it is a word.
_LONG = 8
# A still shorter one is itself a word ("a"): it is hidden where it is a value, alone, in quotes or behind a key.
_WORD = 4


def redacted_resources(resources: Iterable[Resource], secrets: Collection[str] = ()) -> list[dict[str, Any]]:
    """Every resource with its inputs, by URN, and `[secret]` in place of what is secret.

    That is the value at each of a resource's secret paths, and the text of any such value, or of any of `secrets`,
    wherever else it stands: in another resource's inputs, inside JSON, inside base64 such as user data.
    """
    ordered = sorted(resources, key=lambda resource: resource.urn)
    marked = {text for resource in ordered for text in _marked_texts(resource.inputs, "", resource.secret_paths)}
    known = {*secrets, *(text for text in marked if len(text) >= _LONG)}
    return [
        {
            "urn": resource.urn,
            "type": resource.type,
            "name": resource.name,
            "parent": resource.parent,
            "id": resource.id,
            "inputs": _redacted(resource.inputs, "", resource.secret_paths, known),
        }
        for resource in ordered
    ]


def hide(text: str, secrets: Collection[str]) -> str:
    """`text` without `secrets`, as they are or as JSON or a URL spells them, and without the credentials of any URL.

    A secret of 8 characters or more is hidden wherever it stands, one of 4 to 7 where it is a whole word, and a shorter
    one where it is a value: alone, in quotes, or behind `=` or `:`. The rest of a sentence stays readable.
    """
    text = _any_of(frozenset(secrets)).sub(HIDDEN, text)
    return _URL_CREDENTIALS.sub(rf"\1{HIDDEN}", text)


@lru_cache(maxsize=8)  # thousands of texts are searched for the same secrets, of which one is all of the user data
def _any_of(secrets: frozenset[str]) -> re.Pattern[str]:
    """One expression for all spellings, so that what stands in place of one secret is never searched for another."""
    patterns = {form: pattern for secret in secrets if secret for form, pattern in _patterns(secret)}
    longest_first = (patterns[form] for form in sorted(patterns, key=len, reverse=True))
    return re.compile("|".join(longest_first) or _NOTHING)


def _patterns(secret: str) -> Iterator[tuple[str, str]]:
    """Each spelling of a secret, and where it is searched for."""
    in_urls = (quote(secret, safe, errors="surrogateescape") for safe in ("/", ""))
    for form in (secret, json.dumps(secret)[1:-1], *in_urls):
        pattern = re.escape(form)
        if len(secret) < _WORD:
            pattern = rf"\A{pattern}\Z|(?<=[=:\"'`]){pattern}(?=[\"'`,;&\s]|$)"
        elif len(secret) < _LONG:
            pattern = rf"(?<!\w){pattern}(?!\w)"
        yield form, pattern


def _redacted(value: Any, path: str, secret_paths: Set[str], known: Collection[str]) -> Any:
    if _is_marked(value, path, secret_paths):
        return HIDDEN
    if isinstance(value, Mapping):
        return {
            hide(key, known): _redacted(part, child, secret_paths, known) for key, child, part in _parts(value, path)
        }
    if isinstance(value, list):
        return [_redacted(part, child, secret_paths, known) for _, child, part in _parts(value, path)]
    if isinstance(value, str):
        return HIDDEN if _encodes_any(value, known) else hide(value, known)
    return value


def _encodes_any(text: str, secrets: Collection[str]) -> bool:
    """Whether `text` is base64 with a secret in it, compressed or not, as user data is handed to EC2."""
    try:
        plain = decoded(text)
    except (ValueError, EOFError, OSError, zlib.error):  # no base64, no text, or not what it begins like
        return False
    return hide(plain, secrets) != plain


def _marked_texts(value: Any, path: str, secret_paths: Set[str]) -> Iterator[str]:
    if isinstance(value, str) and _is_marked(value, path, secret_paths):
        yield value
    for _, child, part in _parts(value, path):
        yield from _marked_texts(part, child, secret_paths)


def _is_marked(value: Any, path: str, secret_paths: Set[str]) -> bool:
    """Whether a path names this value, or leads on into a value that has no parts to tell apart, such as JSON text."""
    has_parts = isinstance(value, (Mapping, list))
    return path in secret_paths or (not has_parts and any(p.startswith((f"{path}.", f"{path}[")) for p in secret_paths))


def _parts(value: Any, path: str) -> Iterator[tuple[str, str, Any]]:
    """Key, path and value of each part of a mapping or list."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield key, f"{path}.{key}" if path else key, part
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield str(index), f"{path}[{index}]", part
