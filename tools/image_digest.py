"""Digest of an image, asked of its registry (Docker Registry HTTP API V2); the default image is pinned by it.

    python -m tools.image_digest          # the default image: writes its digest where the default is set
    python -m tools.image_digest IMAGE    # another image, such as a mirror: prints NAME:TAG@DIGEST

A digest is of all platforms of the tag. Nothing is pulled.
"""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from email.message import Message
from pathlib import Path

from pypiserver_stack.common.entry_point import Arguments, UserError, show, start_program

ROOT = Path(__file__).parents[1]
# Where the default image is set, and the table that is made of it.
PINNED = ("pypiserver_stack/settings/groups/server.py", "docs/configuration.md")
# Of an image without the name of a registry, as Docker has it.
_DEFAULT_REGISTRY = "registry-1.docker.io"
_MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
_TIMEOUT_S = 30
_FAILED = 1


def main() -> None:
    arguments = Arguments("python -m tools.image_digest", description="Ask a registry for the digest of an image.")
    arguments.add_argument("image", nargs="?", help="NAME:TAG; the default image, which is pinned, where left out")
    image = arguments.parse_args().image
    if image is not None:
        show(f"{image}@{digest_of(image)}\n")
        return
    from pypiserver_stack.settings.groups.server import ServerSettings

    tagged = ServerSettings.model_fields["image"].default.partition("@")[0]
    digest = digest_of(tagged)
    pin(ROOT, tagged, digest)
    show(f"{tagged}@{digest} is the default image now, in {' and '.join(PINNED)}\n")


def digest_of(image: str) -> str:
    """The digest of NAME:TAG.

    Raises:
        UserError: it has no tag, or its registry cannot be asked or does not say.
    """
    registry, name, tag = _parts(image)
    url = f"{registry}/v2/{name}/manifests/{tag}"
    headers = {"Accept": ", ".join(_MANIFESTS)}
    try:
        try:
            found = _answer("HEAD", url, headers)
        except urllib.error.HTTPError as error:
            challenge = error.headers.get("WWW-Authenticate", "")
            if error.code != 401 or not challenge.lower().startswith("bearer "):
                raise
            found = _answer("HEAD", url, {**headers, "Authorization": f"Bearer {_token(challenge)}"})
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{url} does not say the digest of {image}: {error}", _FAILED) from error
    digest = found[0].get("Docker-Content-Digest", "")
    if not _DIGEST.fullmatch(digest):
        raise UserError(f"{url} names no digest of {image} by SHA-256, but {digest!r}", _FAILED)
    return digest


def pin(root: Path, tagged: str, digest: str) -> None:
    """Write the digest behind the tag of the default image, in the place of an older digest."""
    image = re.compile(rf"(?<=[\"| ]){re.escape(tagged)}(@sha256:[0-9a-f]{{64}})?(?=[\"| ][,| ])")
    for name in PINNED:
        path = root / name
        text, count = image.subn(f"{tagged}@{digest}", path.read_text("utf-8"))
        if count != 1:
            raise UserError(f"{path} names the default image {tagged} {count} times: pin it by hand", _FAILED)
        path.write_text(text, "utf-8")


def _parts(image: str) -> tuple[str, str, str]:
    """URL of the registry, name and tag."""
    path, colon, tag = image.rpartition(":")
    if not colon or not path or "/" in tag or "@" in image:
        raise UserError(f"{image} is no NAME:TAG: name the tag whose digest is wanted")
    host, slash, rest = path.partition("/")
    if not slash or not (set(host) & set(".:") or host == "localhost"):
        return f"https://{_DEFAULT_REGISTRY}", path if slash else f"library/{path}", tag
    # As Docker has it, a registry on this machine needs no certificate.
    scheme = "http" if host.partition(":")[0] in ("127.0.0.1", "localhost") else "https"
    return f"{scheme}://{host}", rest, tag


def _token(challenge: str) -> str:
    """A token for anybody, from where the registry says."""
    parameters = dict(_PARAMETER.findall(challenge))
    realm = parameters.pop("realm")
    if not realm.startswith(("https://", "http://127.0.0.1:")):
        raise ValueError(f"it sends to {realm} for a token")
    _, body = _answer("GET", f"{realm}?{urllib.parse.urlencode(parameters)}", {})
    content = json.loads(body)
    return str(content.get("token") or content["access_token"])


def _answer(method: str, url: str, headers: dict[str, str]) -> tuple[Message, bytes]:
    request = urllib.request.Request(url, method=method, headers=headers)
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
        return answer.headers, answer.read()


if __name__ == "__main__":
    start_program(main)
