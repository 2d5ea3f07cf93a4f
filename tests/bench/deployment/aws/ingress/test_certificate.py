"""The certificate of a run: its clients trust it and no other, whatever name they reach the balancer by."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from bench.common.failures import UnavailableError
from bench.deployment.aws.ingress.certificate import RunCertificate
from bench.index.probe import probe
from bench.index.target import Target
from tests.bench.scripted_index import ScriptedIndex, listing

EXPIRES_AT = datetime.now(UTC) + timedelta(hours=4)


@asynccontextmanager
async def served_with(certificate: RunCertificate, folder: Path) -> AsyncIterator[int]:
    """The port of an index with this certificate."""
    path = folder / "server.pem"
    path.write_text(certificate.key_pem + certificate.certificate_pem)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(path)
    index = ScriptedIndex({"/simple/": listing("/simple/alpha/")})
    async with await asyncio.start_server(index.serve, "127.0.0.1", 0, ssl=tls) as server:
        yield server.sockets[0].getsockname()[1]
        if index.open_connections:
            await index.nobody_connected.wait()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_it_is_trusted_by_whatever_name(tmp_path: Path, host: str) -> None:
    certificate = RunCertificate.made("run", EXPIRES_AT)

    async def run() -> tuple[str, ...]:
        async with served_with(certificate, tmp_path) as port:
            return await probe(Target(f"https://{host}:{port}/", certificate_pem=certificate.certificate_pem))

    assert uvloop.run(run()) == ("alpha",)


def test_another_certificate_is_refused(tmp_path: Path) -> None:
    ours, another = RunCertificate.made("run", EXPIRES_AT), RunCertificate.made("run", EXPIRES_AT)

    async def run() -> None:
        async with served_with(another, tmp_path) as port:
            await probe(Target(f"https://127.0.0.1:{port}/", certificate_pem=ours.certificate_pem))

    with pytest.raises(UnavailableError, match="has another certificate than the one that was made for it"):
        uvloop.run(run())


def test_acm_takes_it() -> None:
    """ECDSA on P-256 is what ACM imports and a balancer serves; X.509 knows no longer common name than 64."""
    certificate = x509.load_pem_x509_certificate(RunCertificate.made("r" * 100, EXPIRES_AT).certificate_pem.encode())
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"
    assert certificate.not_valid_before_utc < datetime.now(UTC)
    assert certificate.not_valid_after_utc > EXPIRES_AT


def test_the_key_is_in_no_representation() -> None:
    certificate = RunCertificate.made("run", EXPIRES_AT)
    assert certificate.key_pem not in repr(certificate)
    assert "PRIVATE" not in repr(certificate)
