"""A page of the documentation with a part that is generated: what stands between two markers."""

from __future__ import annotations

import os
from pathlib import Path

from bench.common.atomic_file import write_whole
from bench.common.failures import UsageError

BEGIN = "<!-- begin: python -m bench explain -->"
END = "<!-- end: python -m bench explain -->"


def write_between(path: Path, text: str) -> None:
    """Put `text` between the markers of a page, in place of what stands there.

    Raises:
        UsageError: as `around`, or the page cannot be written.
    """
    before, after = around(path)
    try:
        write_whole(path, f"{before}{BEGIN}\n\n{text.strip()}\n\n{END}{after}")
    except OSError as error:
        raise UsageError(f"--write {path}: it cannot be written ({error.strerror})") from error


def around(path: Path) -> tuple[str, str]:
    """The text before and behind the markers of a page.

    Raises:
        UsageError: it cannot be read, or has not both markers, once each and in their order.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise UsageError(f"--write {path}: there is no such page; it needs the lines {BEGIN} and {END}") from None
    except OSError as error:
        raise UsageError(f"--write {path}: the page cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"--write {path}: the page is not UTF-8 text") from error
    if not os.access(path.parent, os.W_OK):
        raise UsageError(f"--write {path}: its folder cannot be written to")
    before, *middle = text.split(BEGIN)
    if len(middle) != 1 or middle[0].count(END) != 1 or END in before:
        raise UsageError(f"--write {path}: the page needs the lines {BEGIN} and {END}, once each and in this order")
    return before, middle[0].partition(END)[2]
