"""The environment of somebody behind a proxy that answers nobody, without an exception for this machine."""

from __future__ import annotations

DEAD_PROXY = {
    **{
        spelling: "http://127.0.0.1:9"
        for name in ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy")
        for spelling in (name, name.upper())
    },
    **dict.fromkeys(("no_proxy", "NO_PROXY", "no_grpc_proxy"), "example.com, ,.internal"),
}
