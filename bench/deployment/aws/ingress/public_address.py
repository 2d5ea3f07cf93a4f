"""Address of this machine as AWS sees it."""

from __future__ import annotations

from ipaddress import ip_address

from bench.common.failures import UnavailableError
from bench.deployment.aws.ingress.access import checked_cidr
from bench.index.client import IndexSession
from bench.index.target import Target

ASKED = "https://checkip.amazonaws.com"


async def public_cidr(asked: str = ASKED) -> str:
    """The range that holds the public address of this machine alone.

    Raises:
        UnavailableError: AWS cannot be asked, or answers with something else.
    """
    session = await IndexSession.open(Target(asked))
    with session.client() as client:
        answer = await client.get("/")
    try:
        if answer.error or not answer.is_success:
            raise ValueError
        return checked_cidr(str(ip_address(answer.body.decode("ascii").strip())))
    except ValueError:
        raise UnavailableError(
            f"{asked} does not say which address this machine has: name the addresses of the load generators with "
            "--client-cidr"
        ) from None
