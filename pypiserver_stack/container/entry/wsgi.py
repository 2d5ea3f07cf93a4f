"""WSGI application: pypiserver with our hooks, and the front before it."""

from __future__ import annotations

import os

from pypiserver import app_from_config, setup_routes_from_config
from pypiserver.backend import BackendProxy
from pypiserver.config import Config

from pypiserver_stack.container.access.authentication import authenticator_from_environment
from pypiserver_stack.container.base.digests import DigestStore
from pypiserver_stack.container.entry.front import Front
from pypiserver_stack.container.entry.task_settings import TaskSettings
from pypiserver_stack.container.files.downloads import Downloads
from pypiserver_stack.container.files.package_store import PackageStore
from pypiserver_stack.container.files.uploads import Uploads
from pypiserver_stack.container.index.package_index import PackageIndex
from pypiserver_stack.container.pypiserver_hooks.project_info import add_project_info
from pypiserver_stack.container.pypiserver_hooks.removal import NoRemovalProxy
from pypiserver_stack.container.pypiserver_hooks.validated_backend import ValidatedBackend
from pypiserver_stack.container.pypiserver_hooks.walking_backend import WalkingBackend

settings = TaskSettings.read(os.environ)
config = Config.default_with_overrides(
    roots=[settings.packages],
    backend_arg="simple-dir",
    overwrite=settings.overwrite,
    # The front has asked for credentials already: pypiserver asking again would pay for a slow hash twice.
    authenticate=[],
    password_file=".",
    disable_fallback=True,
)
digests = DigestStore(settings.packages)
store = PackageStore(settings.packages, digests)
proxy = BackendProxy if settings.removal else NoRemovalProxy
index = downloads = None
if settings.backend == "validated":
    index = PackageIndex(settings.packages, digests, margin_s=settings.index_margin_s)
    config.backend = proxy(ValidatedBackend(config, index, store))
    downloads = Downloads(
        index, settings.packages, immutable=not settings.overwrite, shared_cache=settings.shared_cache
    )
else:
    config.backend = proxy(WalkingBackend(config, digests))

application = Front(
    add_project_info(setup_routes_from_config(app_from_config(config), config), config.backend),
    authenticator_from_environment(os.environ),
    Uploads(store, config, limit_bytes=settings.upload_limit_bytes),
    index=index,
    downloads=downloads,
    response_headers=[("X-Served-By", settings.task_id)] if settings.timing_headers else [],
)
