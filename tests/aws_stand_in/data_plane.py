"""The data plane of the stand-in: real tasks behind a real balancer, at the address that the stack exports.

What ECS and the balancer would do is done by the processes of a local run; TLS, which Envoy has no part in there, ends
in a thread of this process, with the certificate that the listener names.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from moto.acm.models import acm_backends

from bench.common.failures import UnavailableError
from bench.deployment.graph import Graph, Resource
from bench.deployment.local_cloud import ACCOUNT_ID, REGION, InjectedFault, Record
from bench.deployment.local_processes.reconcile import LocalStack, desired_state
from bench.deployment.pulumi_wire.urns import type_and_name
from tests.aws_stand_in import hosts
from tests.aws_stand_in.mirrored_cloud import MirroredCloud

_TASKS = 2
_BALANCER, _SERVICE = "aws:lb/loadBalancer:LoadBalancer", "aws:ecs/service:Service"


class RunningCloud(MirroredCloud):
    """A mirrored cloud whose service has tasks, and whose balancer answers."""

    def __init__(self, folder: Path, faults: Sequence[InjectedFault] = ()) -> None:
        super().__init__(faults)
        self._folder = folder
        self._ways_in: dict[str, WayIn] = {}
        self._processes: dict[str, LocalStack] = {}

    def create(self, urn: str, type_: str, inputs: Mapping[str, Any]) -> Record:
        with self._changing, hosts.running_service(inputs["desiredCount"] if type_ == _SERVICE else 0):
            record = super().create(urn, type_, inputs)
        if type_ == _BALANCER:
            self._ways_in[urn] = way_in = WayIn()
            record = replace(record, outputs={**record.outputs, "dnsName": way_in.address})
            with self._lock:
                self._records[urn] = record
        elif type_ == _SERVICE:
            self._start(record)
        return record

    def delete(self, urn: str, id_: str = "") -> None:
        service = self.records.get(urn)
        if service is not None and service.type == _SERVICE:
            with self._changing:
                hosts.leave(service)
        super().delete(urn, id_)
        if urn not in self.records:
            if urn in self._processes:
                self._processes.pop(urn).stop()
            if urn in self._ways_in:
                self._ways_in.pop(urn).close()

    def close(self) -> None:
        """End every process and thread."""
        for processes in self._processes.values():
            processes.stop()
        for way_in in self._ways_in.values():
            way_in.close()

    def _start(self, service: Record) -> None:
        stack = service.urn.split("::")[0]
        graph = Graph(
            {record.urn: _resource(record) for record in self.records.values() if record.urn.startswith(stack)}
        )
        folder = self._folder / f"service-{len(self._processes)}"
        folder.mkdir(parents=True)
        state = desired_state(graph)
        self._processes[service.urn] = processes = LocalStack(state, folder, min(_TASKS, state.task_count))
        processes.start()
        with self._changing:
            hosts.join(graph, service)
        (listener,) = (
            one
            for one in graph.of_type("aws:lb/listener:Listener")
            if one.inputs["port"] == state.balancer.listener_port
        )
        balancer = graph.one(_BALANCER, arn=listener.inputs["loadBalancerArn"])
        self._ways_in[balancer.urn].lead_to(int(processes.url.rsplit(":", 1)[1]), listener.inputs.get("certificateArn"))


def _resource(record: Record) -> Resource:
    name = type_and_name(record.urn)[1]
    return Resource(
        record.urn, record.type, name, "", record.inputs, frozenset(), (), id=record.id, outputs=record.outputs
    )


class WayIn:
    """The address of a balancer. It refuses until `lead_to` says where it leads."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._loop = asyncio.new_event_loop()
        self._thread: threading.Thread | None = None

    def lead_to(self, port: int, certificate_arn: str | None) -> None:
        """Pass connections on to a port; over TLS, where there is a certificate."""
        self._thread = threading.Thread(target=self._serve, args=(port, _tls(certificate_arn)), daemon=True)
        self._thread.start()

    def close(self) -> None:
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()
        self._socket.close()

    def _serve(self, port: int, tls: ssl.SSLContext | None) -> None:
        async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                writer.close()
                return
            await asyncio.gather(_copied(reader, inner_writer), _copied(inner_reader, writer))

        self._loop.run_until_complete(asyncio.start_server(pass_on, sock=self._socket, ssl=tls, backlog=1024))
        self._loop.set_exception_handler(lambda loop, context: None)  # a client that has gone
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, asyncio.CancelledError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()


def _tls(certificate_arn: str | None) -> ssl.SSLContext | None:
    if certificate_arn is None:
        return None
    certificate = acm_backends[ACCOUNT_ID][REGION].get_certificate(certificate_arn)
    if certificate is None:
        raise UnavailableError(f"the listener names {certificate_arn}, which ACM does not hold")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with _pem_file(certificate.key + certificate.cert) as path:
        context.load_cert_chain(path)
    return context


@contextlib.contextmanager
def _pem_file(content: bytes | str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "certificate.pem"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        yield path
