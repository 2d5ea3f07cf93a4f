"""Clients of the stand-in for tests, each made once: making one takes longer than most requests."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import boto3

from bench.deployment.local_cloud import REGION


def client(service: str, region: str = REGION) -> Any:
    """The client of a service in a region."""
    return _client(service, region, os.environ["AWS_ENDPOINT_URL"])


@cache
def _client(service: str, region: str, url: str) -> Any:
    return boto3.client(service, region_name=region, endpoint_url=url)
