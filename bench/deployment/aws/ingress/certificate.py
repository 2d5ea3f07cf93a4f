"""Certificate of one run, by which clients reach its balancer over HTTPS without a name of their own.

It is self-signed, and the clients trust it alone: the balancer's DNS name is known only once the balancer is there, so
what they verify is the key. The private key goes to ACM and is kept nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bench.common.failures import UnavailableError
from bench.deployment.aws.session import AwsSession, reason

# Clocks differ, and a run that is taken down late is still looked at.
_MARGIN = timedelta(days=1)


@dataclass(frozen=True)
class RunCertificate:
    """A certificate and its private key, in PEM."""

    certificate_pem: str
    key_pem: str = field(repr=False)

    @classmethod
    def made(cls, common_name: str, expires_at: datetime) -> RunCertificate:
        """A new one, valid until a day after `expires_at`. ACM takes ECDSA keys of P-256."""
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name[:64])])
        usage = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime.now(UTC) - _MARGIN)
            .not_valid_after(expires_at + _MARGIN)
            # ACM asks for no name that a client could look up, but for a domain: one that nobody can have.
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("pypiserver-bench.invalid")]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage, critical=False)
            .sign(key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        return cls(
            certificate.public_bytes(pem).decode(),
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode(),
        )


def import_certificate(session: AwsSession, certificate: RunCertificate, tags: Mapping[str, str]) -> str:
    """Give it to ACM; returns its ARN there.

    Raises:
        UnavailableError: ACM refuses.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        imported = session.client("acm").import_certificate(
            Certificate=certificate.certificate_pem.encode(),
            PrivateKey=certificate.key_pem.encode(),
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )
    except (BotoCoreError, ClientError) as error:
        raise UnavailableError(f"the certificate of the run cannot be imported into ACM: {reason(error)}") from error
    return str(imported["CertificateArn"])
