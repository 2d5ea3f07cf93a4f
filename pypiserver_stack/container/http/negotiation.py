"""Choice of the form of a listing: HTML or JSON (PEP 691), compressed or not."""

from __future__ import annotations

from functools import lru_cache

_JSON = ("application/vnd.pypi.simple.v1+json", "application/vnd.pypi.simple.latest+json")
_HTML = ("text/html", "application/vnd.pypi.simple.v1+html", "application/vnd.pypi.simple.latest+html", "text/*", "*/*")


@lru_cache(maxsize=64)
def wants_json(accept: str) -> bool:
    """Whether the header names JSON, and no HTML that it likes better. HTML is for a client without a preference."""
    weights = {"json": 0.0, "html": 0.0}
    for choice in accept.split(","):
        kind, *parameters = (word.strip().lower() for word in choice.split(";"))
        name = "json" if kind in _JSON else "html" if kind in _HTML else ""
        if name:
            weights[name] = max(weights[name], _weight(parameters))
    return weights["json"] > 0 and weights["json"] >= weights["html"]


@lru_cache(maxsize=64)
def accepts_gzip(accept_encoding: str) -> bool:
    """Whether the header names gzip, or anything. Nothing is compressed for a client that says nothing."""
    weights = {}
    for choice in accept_encoding.split(","):
        coding, *parameters = (word.strip().lower() for word in choice.split(";"))
        weights[coding] = _weight(parameters)
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
