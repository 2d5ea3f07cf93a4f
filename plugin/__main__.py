"""Program that Pulumi starts as the package's provider: it serves PypiServer to programs in any language."""

import os
import sys
from pathlib import Path

# Pulumi's engine, on this machine, is called by gRPC, which would ask a proxy.
os.environ["no_grpc_proxy"] = "127.0.0.1"  # noqa: SIM112  # gRPC reads this spelling alone

# The plugin is this repository, not something installed: what it needs besides stands in requirements.txt.
sys.path.insert(0, str(Path(__file__).parents[1]))

from pulumi.provider import main

from pypiserver_stack.provider.provider import PypiServerProvider

if __name__ == "__main__":
    main(PypiServerProvider(), sys.argv[1:])
