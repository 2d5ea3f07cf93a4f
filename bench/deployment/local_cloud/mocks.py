"""The local cloud behind the SDK's mock monitor: a program registers its resources here, without engine or CLI."""

from __future__ import annotations

from typing import Any, NoReturn

from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks
from pulumi.runtime.proto import resource_pb2

from bench.deployment.engine.cloud import CloudError
from bench.deployment.local_cloud.pulumi_cloud import PulumiCloud
from bench.deployment.pulumi_wire.property_values import from_struct, to_struct, with_secrets
from bench.deployment.pulumi_wire.urns import STACK_TYPE, is_provider


class CloudMonitor(MockMonitor):
    """Answers a program as the engine would.

    `Mocks` see neither URN, parent, dependencies nor which inputs are secret, hence the requests are answered here.
    """

    def __init__(self, cloud: PulumiCloud, project: str, stack: str) -> None:
        super().__init__(_NoMocks())
        self._cloud = cloud
        self._project = project
        self._stack = stack
        self._state: dict[str, dict[str, Any]] = {}

    @property
    def cause(self) -> Exception | None:
        return self._cloud.cause

    def close(self) -> None:
        self._cloud.close()

    @property
    def state(self) -> list[dict[str, Any]]:
        return list(self._state.values())

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """The URN of a resource, with the types of all ancestors but the stack's. Source: the Go SDK's `urn.New`."""
        parent_types = parent.split("::")[2] if parent else STACK_TYPE
        qualified_type = type_ if parent_types == STACK_TYPE else f"{parent_types}${type_}"
        return f"urn:pulumi:{self._stack}::{self._project}::{qualified_type}::{name}"

    def Invoke(self, request: resource_pb2.ResourceInvokeRequest) -> resource_pb2.ResourceInvokeResponse:
        answer = self._cloud.invoke(request.tok, from_struct(request.args))
        return resource_pb2.ResourceInvokeResponse(**{"return": to_struct(answer)})

    def RegisterResource(self, request: resource_pb2.RegisterResourceRequest) -> resource_pb2.RegisterResourceResponse:
        urn = self.make_urn(request.parent, request.type, request.name)
        if urn in self._state:
            raise CloudError(f"the program makes {urn} twice")
        inputs = from_struct(request.object)
        id_, outputs = "", dict[str, Any]()
        if request.custom and not is_provider(request.type):
            id_, outputs = self._cloud.ensure(urn, inputs)
            outputs = with_secrets(outputs, {(name,) for name in request.additionalSecretOutputs if name in outputs})
        self._state[urn] = {
            "urn": urn,
            "type": request.type,
            "parent": request.parent,
            "id": id_,
            "inputs": inputs,
            "outputs": outputs,
            "dependencies": list(request.dependencies),
        }
        return resource_pb2.RegisterResourceResponse(urn=urn, id=id_, object=to_struct(outputs))

    def RegisterResourceOutputs(self, request: resource_pb2.RegisterResourceOutputsRequest) -> Any:
        self._state[request.urn]["outputs"] = from_struct(request.outputs)
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]


class _NoMocks(Mocks):
    """The part that remains for mocks: resources that the program reads and does not make."""

    def call(self, args: MockCallArgs) -> NoReturn:
        raise NotImplementedError  # the monitor answers functions by itself, and asks nobody

    def new_resource(self, args: MockResourceArgs) -> NoReturn:
        raise CloudError(
            f"{args.typ} {args.name} cannot be read: the local cloud holds what the program makes, no more"
        )
