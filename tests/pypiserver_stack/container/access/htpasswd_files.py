"""Users' files for tests, and the header of a user."""

from __future__ import annotations

import base64
from pathlib import Path

import bcrypt


def users_file(path: Path, rounds: int = 4, **passwords: str) -> Path:
    """Replaced by a rename, as the page on authentication asks."""
    hashes = {name: bcrypt.hashpw(password.encode(), bcrypt.gensalt(rounds)) for name, password in passwords.items()}
    path.with_name("users.new").write_text("".join(f"{name}:{stored.decode()}\n" for name, stored in hashes.items()))
    return path.with_name("users.new").replace(path)


def authorization(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
