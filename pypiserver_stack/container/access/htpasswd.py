"""Content of an htpasswd file: users, and the hashes of their passwords in any scheme that passlib can check."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from passlib.context import CryptContext
from passlib.registry import get_crypt_handler

# What passlib knows by its looks. Not its "plaintext": that takes any text, so that a hash of an unknown scheme would
# itself be the password.
_SCHEMES = (
    *("bcrypt", "bcrypt_sha256", "argon2", "scrypt", "pbkdf2_sha512", "pbkdf2_sha256", "pbkdf2_sha1", "phpass"),
    *("sha512_crypt", "sha256_crypt", "sha1_crypt", "apr_md5_crypt", "md5_crypt", "sun_md5_crypt", "des_crypt"),
    *("ldap_salted_sha512", "ldap_salted_sha256", "ldap_salted_sha1", "ldap_salted_md5", "ldap_sha1", "ldap_md5"),
)
# The C library's crypt() stops the whole process for as long as the hash takes; passlib's own code lets others go on.
_NOT_BY_THE_C_LIBRARY = ("sha512_crypt", "sha256_crypt", "sha1_crypt", "md5_crypt")
# What takes seconds; more is a mistake in the line, and would hold up everybody's. Of bcrypt, scrypt and phpass the
# exponent of two, of argon2 the passes over its memory.
_MOST_ROUNDS = {"bcrypt": 17, "bcrypt_sha256": 17, "scrypt": 20, "phpass": 23, "argon2": 100}
_MOST_ROUNDS_OF_OTHERS = 10**7
MAX_BCRYPT_BYTES = 72
"""bcrypt looks at no more: whatever follows would be as good as right."""


def _works_here(scheme: str) -> bool:
    handler = get_crypt_handler(scheme)
    try:
        if hasattr(handler, "set_backend"):
            handler.set_backend("builtin" if scheme in _NOT_BY_THE_C_LIBRARY else "any")
    except Exception:  # passlib and the libraries under it raise many different errors
        return False
    return True


_context = CryptContext([scheme for scheme in _SCHEMES if _works_here(scheme)])


def matches(password: str, stored: str) -> bool:
    """Whether the password has this hash. Slow on purpose."""
    if len(password.encode("utf-8", "surrogatepass")) > MAX_BCRYPT_BYTES and stored.startswith("$2"):
        return False
    try:
        return bool(_context.verify(password, stored))
    except ValueError:  # no password for this scheme: too long, or with a NUL
        return False


class Users(NamedTuple):
    """One state of the file: name to hash. The first line of a name counts, as in Apache."""

    hashes: dict[str, str]
    in_order: list[str]
    ignored_lines: list[int]
    key: bytes

    @classmethod
    def parse(cls, content: bytes) -> Users:
        """Ignores lines that are broken, repeat a name, or hold no hash that can be checked here."""
        hashes: dict[str, str] = {}
        ignored: list[int] = []
        for number, line in enumerate(content.split(b"\n"), 1):
            line = line.strip()
            if not line or line.startswith(b"#"):
                continue
            try:
                username, _, stored = line.decode().partition(":")
                good = _is_checkable(stored)
            except Exception:  # passlib raises an IndexError for some, not only its own errors
                good = False
            if good and username and username not in hashes:
                hashes[username] = stored
            else:
                ignored.append(number)
        return cls(hashes, list(hashes.values()), ignored, hashlib.sha256(content).digest())

    def stored(self, username: str) -> tuple[str | None, bool]:
        """The hash to check a password against, and whether it is this user's.

        A name that is not in the file gets some user's hash, always the same one: it must not take less or more time
        than a name that is. The content of the file picks it, which is the same for all tasks and known to no client.
        """
        if username in self.hashes or not self.in_order:
            return self.hashes.get(username), True
        digest = hashlib.blake2b(username.encode("utf-8", "surrogatepass"), key=self.key, digest_size=8).digest()
        return self.in_order[int.from_bytes(digest, "big") % len(self.in_order)], False


def _is_checkable(stored: str) -> bool:
    scheme = _context.identify(stored, required=True)
    parsed = _context.handler(scheme).from_string(stored)
    most = _MOST_ROUNDS.get(scheme, _MOST_ROUNDS_OF_OTHERS)
    return parsed.checksum is not None and getattr(parsed, "rounds", 0) <= most
