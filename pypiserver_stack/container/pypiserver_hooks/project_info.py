"""The answer for `/{project}/json`: as pypiserver's, with versions in the order of PEP 440 and URLs that are ASCII."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urljoin

from pypiserver.backend import IBackend
from pypiserver.bottle_wrapper import Bottle, HTTPError, redirect, request, response
from pypiserver.pkg_helpers import normalize_pkgname_for_url

from pypiserver_stack.container.base.versions import newest
from pypiserver_stack.container.index.pages import quoted


def add_project_info(app: Bottle, backend: IBackend) -> Bottle:
    """`app` with this answer in place of pypiserver's."""

    def project_info(project: str) -> str:
        normalised = normalize_pkgname_for_url(project)
        if project != normalised:
            redirect(f"/{normalised}/json", 301)
        packages = sorted(backend.find_project_packages(project), key=lambda package: package.parsed_version)
        if not packages:
            raise HTTPError(404, f"package {project} not found")
        releases: dict[str, list[dict[str, Any]]] = {}
        for package in reversed(packages):
            url = urljoin(request.url, f"../packages/{quoted(package.relfn)}")
            releases.setdefault(package.version, []).append({"url": url})
        response.content_type = "application/json"
        return json.dumps({"info": {"version": newest(releases)}, "releases": releases})

    app.route("/:project/json", "GET", project_info)
    return app
