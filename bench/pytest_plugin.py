"""The work of the pytest plugin, `pypiserver_stack_pytest`, which runs this in a process of its own.

A request on standard input, the paths of the wheels on standard output, both in JSON.
"""

from __future__ import annotations

import json
import sys

from pypiserver_stack.common.entry_point import UserError


def main() -> None:
    """Builds the wheels that the request names, and uploads them to its index, if it has one."""
    request = json.load(sys.stdin)
    try:
        from bench.index.publish import publish
        from bench.packages.factory import PackageSet, build, default_cache_dir
    except ModuleNotFoundError as missing:
        raise UserError(f"{missing.name} is not installed: install pypiserver-stack with its extra [bench]") from None
    wheels = build(PackageSet(packages=request["packages"]), default_cache_dir())
    if request["index"]:
        url, username, password = request["index"]
        publish(url, username, password, wheels)
    print(json.dumps([str(wheel.path) for wheel in wheels]))


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
