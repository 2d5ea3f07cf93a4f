"""The provider's protocol, spoken by a plain gRPC client as the engine speaks it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest
from google.protobuf.empty_pb2 import Empty  # type: ignore[import-untyped]
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from bench.deployment.local_cloud import InjectedFault, LocalCloud
from bench.deployment.pulumi_wire.property_values import from_struct, plain, secret_paths, to_struct, with_secrets

URN = "urn:pulumi:dev::small::small:index:Network$aws:ec2/vpc:Vpc::net"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


@pytest.fixture
def cloud() -> LocalCloud:
    return LocalCloud([InjectedFault("create", nth=2, error="the limit is reached")])


@pytest.fixture
def provider(cloud: LocalCloud) -> Iterator[Any]:
    with cloud.providers() as providers:
        aws, random = providers.environment["PULUMI_DEBUG_PROVIDERS"].split(",")
        assert aws.removeprefix("aws:") == random.removeprefix("random:")
        # A proxy that the environment names is none of this test's business.
        options = [("grpc.enable_http_proxy", 0)]
        with grpc.insecure_channel(f"127.0.0.1:{aws.removeprefix('aws:')}", options) as channel:
            yield provider_pb2_grpc.ResourceProviderStub(channel)


def create(provider: Any, inputs: dict[str, Any], *, preview: bool = False) -> provider_pb2.CreateResponse:
    request = provider_pb2.CreateRequest(urn=URN, properties=to_struct(inputs), preview=preview)
    response: provider_pb2.CreateResponse = provider.Create(request)
    return response


def test_the_life_of_a_resource(provider: Any, cloud: LocalCloud) -> None:
    inputs = with_secrets({"cidrBlock": "10.0.0.0/16", "tags": {"a": "b"}}, [("tags", "a")])
    checked = provider.Check(provider_pb2.CheckRequest(urn=URN, news=to_struct(inputs)))
    assert from_struct(checked.inputs) == inputs
    assert not checked.failures

    created = create(provider, inputs)
    outputs = from_struct(created.properties)
    assert created.id == cloud.records[URN].id
    assert plain(outputs) == cloud.records[URN].outputs
    assert "arn" in outputs
    assert secret_paths(outputs) == {("tags", "a")}
    assert cloud.records[URN].inputs == plain(inputs)

    same = provider_pb2.DiffRequest(urn=URN, old_inputs=to_struct(inputs), news=to_struct(inputs))
    assert provider.Diff(same).changes == provider_pb2.DiffResponse.DIFF_NONE
    other_inputs = {"cidrBlock": "10.1.0.0/16"}
    other = provider_pb2.DiffRequest(urn=URN, old_inputs=to_struct(inputs), news=to_struct(other_inputs))
    assert provider.Diff(other).changes == provider_pb2.DiffResponse.DIFF_SOME

    preview = provider_pb2.UpdateRequest(urn=URN, olds=created.properties, news=to_struct(other_inputs), preview=True)
    planned = from_struct(provider.Update(preview).properties)
    assert planned == {key: value for key, value in {**outputs, **other_inputs}.items() if key != "tags"}
    assert cloud.records[URN].inputs == plain(inputs)
    updated = provider.Update(provider_pb2.UpdateRequest(urn=URN, news=to_struct(other_inputs)))
    assert from_struct(updated.properties)["cidrBlock"] == "10.1.0.0/16"
    assert cloud.records[URN].inputs == other_inputs
    assert cloud.records[URN].id == created.id

    marked = with_secrets(other_inputs, [("cidrBlock",)])
    read = provider.Read(
        provider_pb2.ReadRequest(id=created.id, urn=URN, inputs=to_struct(marked), properties=to_struct({}))
    )
    assert read.id == created.id
    assert from_struct(read.inputs) == marked
    assert plain(from_struct(read.properties)) == cloud.records[URN].outputs

    provider.Delete(provider_pb2.DeleteRequest(id=created.id, urn=URN))
    assert not cloud.records
    assert provider.Read(provider_pb2.ReadRequest(id=created.id, urn=URN)).id == ""


def test_a_preview_makes_nothing(provider: Any, cloud: LocalCloud) -> None:
    response = create(provider, {"cidrBlock": UNKNOWN}, preview=True)
    assert (response.id, from_struct(response.properties)) == ("", {"cidrBlock": UNKNOWN})
    assert not cloud.records


def test_what_a_preview_of_an_update_leaves_unknown(provider: Any, cloud: LocalCloud) -> None:
    """A new version of a launch template is known when it is there; its ARN stays, whatever is changed."""
    urn = "urn:pulumi:dev::small::aws:ec2/launchTemplate:LaunchTemplate::hosts"
    made = provider.Create(provider_pb2.CreateRequest(urn=urn, properties=to_struct({"imageId": "ami-1"})))
    before = from_struct(made.properties)

    def planned(inputs: dict[str, Any]) -> dict[str, Any]:
        request = provider_pb2.UpdateRequest(urn=urn, olds=made.properties, news=to_struct(inputs), preview=True)
        return from_struct(provider.Update(request).properties)

    assert planned({"imageId": "ami-2"}) == {**before, "imageId": "ami-2", "latestVersion": UNKNOWN}
    assert planned({"name": UNKNOWN}) == {"name": UNKNOWN, "arn": before["arn"], "latestVersion": UNKNOWN}
    assert plain(before) == cloud.records[urn].outputs
    cloud.delete(urn)
    assert planned({"imageId": "ami-2"}) == {"imageId": "ami-2"}


def test_a_refusal_is_passed_on_without_a_traceback(provider: Any, capfd: pytest.CaptureFixture[str]) -> None:
    create(provider, {"cidrBlock": "10.0.0.0/16"})
    with pytest.raises(grpc.RpcError, match="the limit is reached"):
        create(provider, {"cidrBlock": "10.0.0.0/16"})
    assert capfd.readouterr().err == ""


def test_functions(provider: Any) -> None:
    answer = provider.Invoke(provider_pb2.InvokeRequest(tok="aws:index/getRegion:getRegion", args=to_struct({})))
    assert from_struct(getattr(answer, "return"))["region"] == "us-west-2"
    with pytest.raises(grpc.RpcError, match="no answer for the function aws:s3/getBucket:getBucket"):
        provider.Invoke(provider_pb2.InvokeRequest(tok="aws:s3/getBucket:getBucket", args=to_struct({})))


def test_what_the_engine_asks_before_it_begins(provider: Any) -> None:
    handshake = provider.Handshake(provider_pb2.ProviderHandshakeRequest())
    assert handshake.accept_secrets
    assert not handshake.accept_outputs
    configured = provider.Configure(provider_pb2.ConfigureRequest())
    assert configured.acceptSecrets
    assert configured.supportsPreview
    assert not configured.acceptOutputs
    checked = provider.CheckConfig(provider_pb2.CheckRequest(news=to_struct({"region": "us-west-2"})))
    assert from_struct(checked.inputs) == {"region": "us-west-2"}
    assert provider.DiffConfig(provider_pb2.DiffRequest()).changes == provider_pb2.DiffResponse.DIFF_NONE
    provider.GetPluginInfo(Empty())
    provider.Cancel(Empty())
    with pytest.raises(grpc.RpcError) as refused:
        provider.Parameterize(provider_pb2.ParameterizeRequest())
    assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED
