"""Text that people read: of any origin, on one line, with its counts in words."""

from __future__ import annotations


def valid_text(text: str) -> str:
    r"""`text` as UTF-8 can hold it: bytes of an argument or a file name that are no UTF-8 become `\xe9` and such."""
    if text.isascii():
        return text
    try:
        as_bytes = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a surrogate pair, of which no byte is known
        as_bytes = text.encode("utf-8", "backslashreplace")
    return as_bytes.decode("utf-8", "backslashreplace")


def printable(text: str) -> str:
    """`text` on one line and without control characters: some of it comes from whatever server was asked."""
    return "".join(letter if letter.isprintable() else " " for letter in valid_text(text))


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """A number of things, such as `1 task` and `1,200 tasks`."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"
