"""Secrets looked for in whatever is written, in every spelling in which they could stand there."""

from __future__ import annotations

import base64
import bz2
import gzip
import hashlib
import re
import zlib
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from bench.deployment.graph import Graph

# Shorter than any that a secret or its document makes.
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{32,}={0,2}")
_WRAPPINGS = 3
"""Compressed in base64 inside base64 is two; nothing here is wrapped more often."""


def generated_secrets(graph: Graph) -> tuple[str, ...]:
    """The passwords that a deployment made, and their hashes."""
    made = graph.of_type("random:index/randomPassword:RandomPassword")
    return tuple(password.outputs[key] for password in made for key in ("result", "bcryptHash"))


def found_in(written: bytes | str, secrets: Iterable[str]) -> set[str]:
    """The secrets that stand in something written: as they are, in a URL, in JSON, in hexadecimal or base64 digits,
    inside what is compressed, or as a digest.

    No digest of a password of 190 bits tells it; a user's own would be told, and nothing here has a use for one.
    """
    data = written.encode() if isinstance(written, str) else written
    texts = list(_unwrapped(data, _WRAPPINGS))
    return {secret for secret in secrets if any(form in text for form in _spellings(secret) for text in texts)}


def _spellings(secret: str) -> set[bytes]:
    plain = secret.encode()
    digest = hashlib.sha256(plain).digest()
    in_json = secret.replace("/", "\\/")
    texts = (secret, in_json, quote(secret), quote(secret, safe=""), plain.hex(), digest.hex())
    return {text.encode() for text in texts} | {digest, base64.b64encode(digest)}


def _unwrapped(data: bytes, wrappings: int) -> Iterator[bytes]:
    yield data
    if not wrappings:
        return
    for run in _BASE64.findall(data):
        digits = run.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
        # Where it begins is not certain: what stands before it may be such digits as well.
        for start in range(4):
            part = digits[start:]
            if len(part) % 4 == 1:
                part = part[:-1]
            yield from _unwrapped(_unpacked(base64.b64decode(part + b"=" * (-len(part) % 4))), wrappings - 1)


def _unpacked(data: bytes) -> bytes:
    for unpack in (gzip.decompress, zlib.decompress, bz2.decompress):
        try:
            return unpack(data)
        except (OSError, EOFError, ValueError, zlib.error):
            continue
    return data
