"""The deployment inside somebody else's program: it needs the dependencies of the project, and not its extras'."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

OWN = "pypiserver-stack"
ENTRANCES = ("pypiserver_stack.server", "pypiserver_stack.provider", "pypiserver_stack.rotate", "sizing")

# Runs before the imports; what it does not find in its first argument is not installed.
IMPORTING = """
import sys

class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name in refused:
            raise ModuleNotFoundError(f"{name} is not among the dependencies", name=name)

refused = set(sys.argv[1].split(","))
sys.meta_path.insert(0, NotInstalled())
for name in sys.argv[2:]:
    __import__(name)
"""


def needed_by(distribution: str, known: frozenset[str] = frozenset()) -> frozenset[str]:
    """A distribution and all that it needs, without extras, by canonical name."""
    known |= {canonicalize_name(distribution)}
    for text in metadata.requires(distribution) or ():
        requirement = Requirement(text)
        installed = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if installed and canonicalize_name(requirement.name) not in known:
            known = needed_by(requirement.name, known)
    return known


def test_the_deployment_is_imported_where_its_dependencies_alone_are() -> None:
    needed = needed_by(OWN)
    modules = metadata.packages_distributions()
    refused = {
        module
        for module, distributions in modules.items()
        if not needed & {canonicalize_name(distribution) for distribution in distributions}
    }
    assert {"aiohttp", "gevent", "numpy", "pytest"} <= refused
    done = subprocess.run(
        [sys.executable, "-c", IMPORTING, ",".join((*refused, "bench")), *ENTRANCES],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert done.returncode == 0, done.stderr
