"""The local cloud in Pulumi's terms, for both adapters: property values in their wire form in and out."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from pulumi.runtime.rpc import UNKNOWN

from bench.deployment.engine.cloud import CloudError
from bench.deployment.local_cloud.resources import ResourceStore
from bench.deployment.pulumi_wire.property_values import plain, secret_paths, with_secrets
from bench.deployment.pulumi_wire.urns import type_and_name

Values = Mapping[str, Any]


class PulumiCloud:
    """One per evaluation. What the program marked as secret comes back marked, and is plain in the cloud."""

    def __init__(self, cloud: ResourceStore) -> None:
        self._cloud = cloud
        self._closed = threading.Event()
        self.cause: Exception | None = None
        """See `bench.deployment.engine.cloud.Evaluation.cause`."""
        self.environment: Mapping[str, str] = {}
        """Variables with which the CLI finds the cloud while it is served."""

    def close(self) -> None:
        """Create nothing from now on: the program that still runs is to end."""
        self._closed.set()

    def create(self, urn: str, inputs: Values) -> tuple[str, dict[str, Any]]:
        """The id and the outputs of a new resource.

        Raises:
            CloudError: the cloud refuses; as do all methods here.
        """
        type_, name = type_and_name(urn)
        with self._noting(f"{type_} {name} could not be created"):
            if self._closed.is_set():
                raise CloudError("the stack is being taken down")
            record = self._cloud.create(urn, type_, plain(inputs))
        return record.id, with_secrets(record.outputs, secret_paths(inputs))

    def ensure(self, urn: str, inputs: Values) -> tuple[str, dict[str, Any]]:
        """As `create`, for an engine that keeps no state: what exists already is as it was, or is changed in place."""
        known = self._cloud.read(urn)
        if known is None:
            return self.create(urn, inputs)
        if known.inputs != plain(inputs):
            return known.id, self.update(urn, inputs)
        return known.id, with_secrets(known.outputs, secret_paths(inputs))

    def read(self, urn: str, id_: str, inputs: Values, outputs: Values) -> tuple[str, dict[str, Any], dict[str, Any]]:
        """The id, inputs and outputs now of a resource that was known to have these; the id is empty if it is gone."""
        record = self._cloud.read(urn, id_)
        if record is None:
            return "", {}, {}
        return (
            record.id,
            with_secrets(record.inputs, secret_paths(inputs)),
            with_secrets(record.outputs, secret_paths(outputs)),
        )

    def update(self, urn: str, inputs: Values) -> dict[str, Any]:
        """The outputs of a resource after it was given other inputs."""
        type_, name = type_and_name(urn)
        with self._noting(f"{type_} {name} could not be updated"):
            record = self._cloud.update(urn, plain(inputs))
        outputs: dict[str, Any] = with_secrets(record.outputs, secret_paths(inputs))
        return outputs

    def planned(self, urn: str, inputs: Values, outputs: Values) -> dict[str, Any]:
        """Previewed outputs of a resource that is to be given other inputs, and now has these outputs.

        What AWS computed for it is still known, but for what the change touches: as with Pulumi's own provider. Of a
        resource that is gone nothing is.
        """
        computed = {
            key: outputs[key] if plain(outputs.get(key)) == value else UNKNOWN
            for key, value in self._cloud.computed_after(urn, plain(inputs)).items()
        }
        return {**computed, **inputs}

    def delete(self, urn: str, id_: str) -> None:
        """Delete a resource, which may have been replaced by another of its URN."""
        type_, name = type_and_name(urn)
        with self._noting(f"{type_} {name} could not be deleted"):
            self._cloud.delete(urn, id_)

    def invoke(self, token: str, arguments: Values) -> dict[str, Any]:
        """Answer of a provider function."""
        with self._noting(f"the function {token} failed"):
            return self._cloud.invoke(token, plain(arguments))

    @contextlib.contextmanager
    def _noting(self, what_failed: str) -> Iterator[None]:
        try:
            yield
        except CloudError as error:
            self.cause = self.cause or CloudError(f"{what_failed}: {error}")
            raise
        except Exception as error:
            self.cause = self.cause or error
            raise
