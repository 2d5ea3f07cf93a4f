"""AWS's API on this machine: moto's server, which holds what the mirrored cloud makes and what boto3 changes."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

import pytest
from moto.core.base_backend import BackendDict
from moto.server import ThreadedMotoServer

from bench.deployment.local_cloud import REGION
from tests.aws_stand_in import missing_operations

VARIABLES = {
    "AWS_ACCESS_KEY_ID": "stand-in",
    "AWS_SECRET_ACCESS_KEY": "stand-in",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    # Whatever this machine has configured is for the real AWS.
    "AWS_CONFIG_FILE": "/nonexistent",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    "AWS_EC2_METADATA_DISABLED": "true",
    # What moto cannot do it answers with an error that is worth another attempt on AWS alone.
    "AWS_MAX_ATTEMPTS": "2",
}


@contextlib.contextmanager
def aws_endpoint() -> Iterator[str]:
    """The URL of an AWS without any resource; the environment sends every SDK there, with credentials that it takes.

    One at a time in a process.
    """
    missing_operations.add()
    BackendDict.reset()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    try:
        with pytest.MonkeyPatch.context() as environment:
            environment.delenv("AWS_PROFILE", raising=False)
            environment.delenv("AWS_SESSION_TOKEN", raising=False)
            for name, value in {**VARIABLES, "AWS_ENDPOINT_URL": url}.items():
                environment.setenv(name, value)
            yield url
    finally:
        server.stop()


def empty_account() -> None:
    """Have the stand-in hold nothing but what AWS puts into every account."""
    BackendDict.reset()
    missing_operations.add()
