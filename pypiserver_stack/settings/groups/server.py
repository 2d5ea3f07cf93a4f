"""Settings of the server in a task."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field

from pypiserver_stack.settings.problems import Caution, Problem
from pypiserver_stack.settings.types import OBJECTS, Group, only

_IMAGE = re.compile(
    r"([a-z0-9.-]+(:\d+)?/)?[a-z0-9._/-]+:(?!latest(@|$))\w[\w.-]{0,127}(@sha256:[0-9a-f]{64})?", re.ASCII
)

_UserName = Annotated[str, Field(pattern=r"^[^:\x00-\x1f\x7f]{1,255}$")]
_IMAGE_MOST_CHARACTERS = 255  # ECS takes no more before the digest


def _names_a_version(image: str) -> bool:
    return _IMAGE.fullmatch(image) is not None and len(image.partition("@")[0]) <= _IMAGE_MOST_CHARACTERS


# Longer than gunicorn's graceful_timeout, so that it ends by itself. Before that, ECS has taken the task out of the
# balancer and waited for the deregistration delay.
STOP_TIMEOUT_S = 40


class ServerSettings(Group):
    """Server."""

    image: Annotated[str, only(_names_a_version)] = Field(
        default="pypiserver/pypiserver:v2.4.2",
        json_schema_extra={
            "takes": "NAME:TAG or NAME:TAG@sha256:DIGEST, where TAG is not latest and NAME:TAG has at most "
            f"{_IMAGE_MOST_CHARACTERS} characters"
        },
    )
    """Container image of the tasks, by tag, and better by digest too: a tag can be moved to another image, a digest
    cannot."""
    entry_point: Literal["gunicorn", "image"] = "gunicorn"
    """Program of the task. gunicorn: our server, with gevent patched before anything is imported. image: the
    image's own entry point, as the Terraform module uses it, which reads nothing of the settings from upload_limit_mb
    to index_margin_s but overwrite; kept for comparison."""
    authentication: Literal["sha256", "htpasswd", "bcrypt"] = "sha256"
    """Check of passwords. sha256: constant-time comparison of digests of the generated passwords. htpasswd: your own
    file `.htpasswd` in the folder of the packages, checked once per password and remembered. bcrypt: the generated
    password by bcrypt on every request, as the Terraform module does it; kept for comparison."""
    htpasswd_roles: Annotated[Mapping[_UserName, Literal["read", "upload", "admin"]], OBJECTS] = Field(
        default={},
        json_schema_extra={
            "takes": "a JSON object, user name without colon to one of read, upload and admin, such as "
            '{"alice": "admin", "ci": "upload"}'
        },
    )
    """Roles of the users with authentication htpasswd. A user that it does not name may only read; none: all users
    have all rights."""
    backend: Literal["simple-dir", "validated"] = "validated"
    """Index of the packages. simple-dir: pypiserver's own, walks the directory each time. validated: held in memory,
    and trusted while the directory proves unchanged."""
    upload_limit_mb: Annotated[int, Field(ge=1, le=65536)] = 1024
    """Largest upload in MB; a larger one is answered 413. The largest known wheels have about 900 MB."""
    overwrite: bool = False
    """Whether an upload may replace a file. While it may not, clients may keep what they downloaded."""
    builds_allowed: bool = False
    """Whether a wheel with another build number may join the wheel of a version that exists while `overwrite` is off.
    Installers prefer the highest build number."""
    removal_enabled: bool = True
    """Whether users with the role admin may remove packages (`:action=remove_pkg`). A file that is removed from the
    file system by hand is gone all the same."""
    timing_headers: bool = True
    """Send the cost of an answer in `Server-Timing` and, to clients with credentials, its task in `X-Served-By`."""
    index_margin_s: Annotated[int, Field(ge=1, le=60)] = 3
    """Seconds for which a changed directory is read anew each time before the validated backend trusts it: 2 for file
    systems whose timestamps are that coarse, 1 for a file server that sets its clock."""
    gunicorn_keepalive_s: Annotated[int, Field(ge=1, le=4000)] = 75
    """Seconds an idle connection stays open; outlives the balancer's idle timeout of 60 s."""

    def contradictions(self) -> Iterator[Problem]:
        """The image's own entry point runs nothing of ours; roles of users that nobody looks up."""
        if self.htpasswd_roles and self.authentication != "htpasswd":
            yield Problem(
                "htpasswd_roles",
                dict(self.htpasswd_roles),
                f"takes authentication htpasswd, which is {self.authentication}",
                frozenset(["authentication"]),
            )
        needed = {"authentication": "bcrypt", "backend": "simple-dir"}
        actual = {key: getattr(self, key) for key in needed}
        if self.entry_point == "image" and actual != needed:
            allowed = "takes authentication bcrypt and backend simple-dir, which are {authentication} and {backend}"
            yield self.refused("entry_point", allowed.format(**actual), *needed)

    def cautions(self) -> Iterator[Caution]:
        """A tag without a digest."""
        if "@" not in self.image:
            sentence = (
                f"image {self.image} is not pinned by digest, so its tag may come to mean another image: see "
                "docs/configuration.md for the command that prints the digest"
            )
            yield Caution(sentence, "operation")
