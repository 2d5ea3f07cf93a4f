"""What a process has open, by the kernel."""

from __future__ import annotations

from pathlib import Path


def open_files(process: int | str = "self") -> set[str]:
    """The number of each descriptor and what it leads to, such as `7 /efs/demo-1.0.zip`."""
    found = set()
    for descriptor in Path(f"/proc/{process}/fd").iterdir():
        try:
            found.add(f"{descriptor.name} {descriptor.readlink()}")
        except FileNotFoundError:  # closed meanwhile
            continue
    return {name for name in found if "anon_inode" not in name}
