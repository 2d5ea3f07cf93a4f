"""Language host of the Pulumi CLI, which evaluates the program in this process.

The Automation API brings one of its own. Where an update fails, that one stops its event loop before the program has
ended, or waits forever for answers of an engine that is gone, and with it the exit of this process.
"""

# The names that gRPC dictates.
# ruff: noqa: N802

from __future__ import annotations

import asyncio
import platform
import sys
from collections.abc import Callable
from typing import Any

from pulumi.runtime.proto import (
    LanguageRuntimeServicer,
    engine_pb2_grpc,
    language_pb2,
    language_pb2_grpc,
    plugin_pb2,
    resource_pb2_grpc,
)
from pulumi.runtime.settings import Settings

from bench.deployment.engine.program import Program
from bench.deployment.pulumi_wire.grpc_service import connected


def language_host(program: Program) -> Callable[[Any], None]:
    """A function that adds the service to a gRPC server."""
    return lambda server: language_pb2_grpc.add_LanguageRuntimeServicer_to_server(_LanguageHost(program), server)


class _LanguageHost(LanguageRuntimeServicer):
    def __init__(self, program: Program) -> None:
        self._program = program

    def About(self, request: Any, context: Any) -> language_pb2.AboutResponse:
        return language_pb2.AboutResponse(executable=sys.executable, version=platform.python_version())

    def GetPluginInfo(self, request: Any, context: Any) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo()

    def GetRequiredPackages(self, request: Any, context: Any) -> language_pb2.GetRequiredPackagesResponse:
        return language_pb2.GetRequiredPackagesResponse()

    def Run(self, request: language_pb2.RunRequest, context: Any) -> language_pb2.RunResponse:
        try:
            with connected(request.monitor_address) as monitor, connected(request.args[0]) as engine:

                def connect() -> Settings:
                    return Settings(
                        project=request.project,
                        stack=request.stack,
                        organization=request.organization,
                        monitor=resource_pb2_grpc.ResourceMonitorStub(monitor),
                        engine=engine_pb2_grpc.EngineStub(engine),
                        parallel=request.parallel,
                        dry_run=request.dryRun,
                    )

                self._program.evaluate(connect, request.config, request.configSecretKeys)
        except (Exception, asyncio.CancelledError) as error:
            return language_pb2.RunResponse(error=str(error) or type(error).__name__)
        return language_pb2.RunResponse()
