"""The load over TLS."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from pathlib import Path

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bench.common.failures import UnavailableError
from bench.index.publish import publish_async
from bench.index.target import Target
from tests.bench.scripted_index import DOWNLOADED, LISTED, REDIRECTED, ScriptedIndex, rows, send


def self_signed_certificate(path: Path) -> Path:
    """A certificate for localhost and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    traditional = serialization.PrivateFormat.TraditionalOpenSSL
    path.write_bytes(key.private_bytes(pem, traditional, serialization.NoEncryption()) + certificate.public_bytes(pem))
    return path


def test_https(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = self_signed_certificate(tmp_path / "localhost.pem")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)

    async def run() -> list[tuple[str, int, str]]:
        index = ScriptedIndex({})
        server = await asyncio.start_server(index.serve, "127.0.0.1", 0, ssl=tls)
        async with server:
            result = await send(f"https://localhost:{server.sockets[0].getsockname()[1]}/", tmp_path)
            if index.open_connections:
                await index.nobody_connected.wait()
        return rows(result)

    assert uvloop.run(run()) == [("redirect", 0, "CONNECT")], "a certificate that nobody vouches for"
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert uvloop.run(run()) == [REDIRECTED, LISTED, DOWNLOADED]


def test_publishing_over_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(self_signed_certificate(tmp_path / "localhost.pem"))

    async def run() -> None:
        async with await asyncio.start_server(ScriptedIndex({}).serve, "127.0.0.1", 0, ssl=tls) as server:
            await publish_async(Target(f"https://localhost:{server.sockets[0].getsockname()[1]}/", "me", "secret"), [])

    with pytest.raises(UnavailableError, match=r"no connection to the index at .*: its certificate is not trusted"):
        uvloop.run(run())
