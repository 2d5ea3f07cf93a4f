"""WSGI application: pypiserver with our hooks, and the front before it.

The task definition's environment says how; docs/configuration.md explains its variables.
"""

from __future__ import annotations

import os
from pathlib import Path

from pypiserver import app_from_config, setup_routes_from_config
from pypiserver.backend import BackendProxy
from pypiserver.config import Config

from pypiserver_stack.container.access.authentication import authenticator_from_environment
from pypiserver_stack.container.base.records import RecordStore
from pypiserver_stack.container.entry.front import Front
from pypiserver_stack.container.files.downloads import Downloads
from pypiserver_stack.container.files.existing_files import ExistingFiles
from pypiserver_stack.container.files.package_store import PackageStore
from pypiserver_stack.container.files.uploads import Uploads
from pypiserver_stack.container.index.package_index import PackageIndex
from pypiserver_stack.container.pypiserver_hooks.action_roles import add_action_roles
from pypiserver_stack.container.pypiserver_hooks.project_info import add_project_info
from pypiserver_stack.container.pypiserver_hooks.removal import NoRemovalProxy
from pypiserver_stack.container.pypiserver_hooks.search import add_search
from pypiserver_stack.container.pypiserver_hooks.validated_backend import ValidatedBackend
from pypiserver_stack.container.pypiserver_hooks.walking_backend import WalkingBackend
from pypiserver_stack.container.pypiserver_hooks.yanking import add_yanking


def _is_on(variable: str) -> bool:
    return os.environ[variable] == "true"


packages = Path(os.environ["PYPISERVER_PACKAGES"])
overwrite = _is_on("PYPISERVER_OVERWRITE")
config = Config.default_with_overrides(
    roots=[packages],
    backend_arg="simple-dir",
    overwrite=overwrite,
    # The front has asked for credentials already: pypiserver asking again would pay for a slow hash twice.
    authenticate=[],
    password_file=".",
    disable_fallback=True,
)
records = RecordStore(packages)
is_validated = os.environ["PYPISERVER_BACKEND"] == "validated"
store = PackageStore(packages, records, by_project=is_validated)
store.prepare()
proxy = BackendProxy if _is_on("PYPISERVER_REMOVAL") else NoRemovalProxy
pypiserver = setup_routes_from_config(app_from_config(config), config)
index = downloads = None
if is_validated:
    # Anybody may see this page, and a count would cost a look at every folder.
    config.welcome_msg = config.welcome_msg.replace(" serving {{NUMPKGS}} packages", "")
    index = PackageIndex(packages, records, margin_s=float(os.environ["PYPISERVER_INDEX_MARGIN_S"]))
    config.backend = proxy(ValidatedBackend(config, index, store))
    # simple-dir's listings cannot say that a file is yanked: there the action is unknown.
    pypiserver = add_yanking(pypiserver, config.backend, packages)
    downloads = Downloads(index, packages, immutable=not overwrite, shared_cache=_is_on("PYPISERVER_SHARED_CACHE"))
else:
    config.backend = proxy(WalkingBackend(config, records))
# Docker names a container's host after the container; ECS lists the same id with the task.
served_by = [("X-Served-By", os.environ.get("HOSTNAME", "unknown"))]

application = Front(
    add_search(add_project_info(add_action_roles(pypiserver), config.backend), config.backend),
    authenticator_from_environment(os.environ),
    Uploads(
        store,
        ExistingFiles(config, builds_allowed=_is_on("PYPISERVER_BUILDS")),
        overwrite=overwrite,
        limit_bytes=int(os.environ["PYPISERVER_UPLOAD_LIMIT_MB"]) * 2**20,
    ),
    index=index,
    downloads=downloads,
    response_headers=served_by if _is_on("PYPISERVER_TIMING_HEADERS") else [],
)
