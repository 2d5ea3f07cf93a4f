"""The local cloud behind Pulumi's provider protocol: the engine attaches to it where it would start a plugin.

It takes the place of `pulumi-resource-aws` and `pulumi-resource-random`. One provider serves both: a resource's URN
says what it is.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
from google.protobuf.empty_pb2 import Empty  # type: ignore[import-untyped]
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from bench.deployment.local_cloud.pulumi_cloud import PulumiCloud
from bench.deployment.pulumi_wire.grpc_service import listening
from bench.deployment.pulumi_wire.property_values import from_struct, plain, to_struct
from bench.deployment.pulumi_wire.urns import type_and_name

REPLACEMENTS = Path(__file__).with_name("replacements.json")
"""Inputs whose change makes another resource, by type; `python -m tests.aws_schemas.replacements` generates it."""
_PACKAGES = ("aws", "random")
# Which of those inputs AWS fills in by itself: what the program does not say of them stays as it is.
_FILLED_IN = frozenset(["creationToken", "kmsKeyId", "name"])


@contextlib.contextmanager
def serve(cloud: PulumiCloud) -> Iterator[PulumiCloud]:
    """Serve the local cloud to the CLI, which attaches to it by its `environment`."""

    def add_service(server: Any) -> None:
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(_Provider(cloud), server)

    with listening(add_service) as address:
        port = address.rsplit(":", 1)[1]
        cloud.environment = {
            "PULUMI_DEBUG_PROVIDERS": ",".join(f"{package}:{port}" for package in _PACKAGES),
            # A missing provider is an error here, not a download.
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }
        yield cloud


class _Provider(provider_pb2_grpc.ResourceProviderServicer):
    """The provider service. Requests that have no method here get UNIMPLEMENTED."""

    def __init__(self, cloud: PulumiCloud) -> None:
        self._cloud = cloud

    def Handshake(self, request: Any, context: Any) -> provider_pb2.ProviderHandshakeResponse:
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, accept_resources=True)

    def GetPluginInfo(self, request: Any, context: Any) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo()

    def Attach(self, request: Any, context: Any) -> Empty:
        return Empty()

    def CheckConfig(self, request: provider_pb2.CheckRequest, context: Any) -> provider_pb2.CheckResponse:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> provider_pb2.DiffResponse:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: Any) -> provider_pb2.ConfigureResponse:
        return provider_pb2.ConfigureResponse(acceptSecrets=True, acceptResources=True, supportsPreview=True)

    def Invoke(self, request: provider_pb2.InvokeRequest, context: Any) -> provider_pb2.InvokeResponse:
        with _refusal_to(context):
            answer = self._cloud.invoke(request.tok, from_struct(request.args))
            return provider_pb2.InvokeResponse(**{"return": to_struct(answer)})

    def Check(self, request: provider_pb2.CheckRequest, context: Any) -> provider_pb2.CheckResponse:
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: provider_pb2.DiffRequest, context: Any) -> provider_pb2.DiffResponse:
        old, new = plain(from_struct(request.old_inputs)), plain(from_struct(request.news))
        type_, _ = type_and_name(request.urn)
        outcome = provider_pb2.DiffResponse
        return outcome(
            changes=outcome.DIFF_NONE if old == new else outcome.DIFF_SOME,
            replaces=replaced_for(type_, old, new),
            deleteBeforeReplace=keeps_its_name(type_, old, new),
        )

    def Create(self, request: provider_pb2.CreateRequest, context: Any) -> provider_pb2.CreateResponse:
        if request.preview:
            # The engine takes for unknown what is not among the properties.
            return provider_pb2.CreateResponse(properties=request.properties)
        with _refusal_to(context):
            id_, outputs = self._cloud.create(request.urn, from_struct(request.properties))
            return provider_pb2.CreateResponse(id=id_, properties=to_struct(outputs))

    def Read(self, request: provider_pb2.ReadRequest, context: Any) -> provider_pb2.ReadResponse:
        with _refusal_to(context):
            id_, inputs, outputs = self._cloud.read(
                request.urn, request.id, from_struct(request.inputs), from_struct(request.properties)
            )
            return provider_pb2.ReadResponse(id=id_, inputs=to_struct(inputs), properties=to_struct(outputs))

    def Update(self, request: provider_pb2.UpdateRequest, context: Any) -> provider_pb2.UpdateResponse:
        with _refusal_to(context):
            if request.preview:
                planned = self._cloud.planned(request.urn, from_struct(request.news), from_struct(request.olds))
                return provider_pb2.UpdateResponse(properties=to_struct(planned))
            outputs = self._cloud.update(request.urn, from_struct(request.news))
            return provider_pb2.UpdateResponse(properties=to_struct(outputs))

    def Delete(self, request: provider_pb2.DeleteRequest, context: Any) -> Empty:
        with _refusal_to(context):
            self._cloud.delete(request.urn, request.id)
            return Empty()

    def Cancel(self, request: Any, context: Any) -> Empty:
        return Empty()


@contextlib.contextmanager
def _refusal_to(context: Any) -> Iterator[None]:
    """Pass on why a request fails; what escapes instead would be printed with its traceback by gRPC."""
    try:
        yield
    except Exception as error:
        context.abort(grpc.StatusCode.UNKNOWN, str(error))


def replaced_for(type_: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    """The paths of the inputs that another resource has to be made for; none where the change is made in place."""
    return tuple(
        path
        for path in _paths().get(type_, ())
        if _at(path, old) != _at(path, new) and not (path in _FILLED_IN and path not in new)
    )


def keeps_its_name(type_: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether a resource and what replaces it would have one name, that the program gave: the old one must go first."""
    return "name" in _paths().get(type_, ()) and "name" in new and old.get("name") == new["name"]


@cache
def _paths() -> Mapping[str, tuple[str, ...]]:
    return {type_: tuple(paths) for type_, paths in json.loads(REPLACEMENTS.read_text()).items()}


def _at(path: str, values: Any) -> Any:
    for name in path.split("."):
        values = values.get(name) if isinstance(values, Mapping) else None
    return values
