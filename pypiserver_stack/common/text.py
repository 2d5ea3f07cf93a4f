"""Text for people, made safe to print."""

from __future__ import annotations


def valid_text(text: str) -> str:
    r"""`text` as UTF-8 can hold it: bytes of an argument or a file name that are not UTF-8 become `\xe9` and such."""
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
