"""An edge of CloudFront, as AWS's developer guide has it, which does what a distribution in a graph says.

It keeps more readily than a real one where the guide leaves it open: never less, since what must not be kept is what is
looked at. Parts of a file are not kept here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bench.deployment.graph import Graph

Headers = Mapping[str, str]
Answer = tuple[int, Headers, bytes]
Origin = Callable[[str, str, bytes, Headers], Answer]
"""Method, path with query, body and headers to an answer, whose header names are in lower case."""

# The policies that are AWS's own: what is passed on of a request (None is all of it), and that nothing is kept.
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"
# Passed on whatever the policies say.
ALWAYS = {"range", "if-none-match", "if-match", "content-type", "content-length"}
# Kept for the least time that is set for errors; and these for as long as the origin says.
ERRORS = {404, 414, 500, 501, 502, 503, 504}
ERRORS_IF_TOLD = {400, 403, 405, 412, 415}


@dataclass(frozen=True)
class _Policy:
    """How long at least, at most and else; and which headers and queries are in the key and passed on."""

    ttl_s: tuple[int, int, int]
    headers: frozenset[str]
    queries: bool


class Edge:
    """One edge with an empty cache; `now_s` is its clock."""

    def __init__(self, graph: Graph, origin: Origin) -> None:
        self._graph = graph
        self._config = graph.one("aws:cloudfront/distribution:Distribution").inputs
        self._origin = origin
        self._kept: dict[tuple[object, ...], tuple[float, Answer]] = {}
        self.now_s = 0.0
        self.passed_on = 0
        """Requests that the origin has had."""

    @property
    def kept_paths(self) -> set[str]:
        """What it has something of."""
        return {str(key[0]) for key in self._kept}

    def request(self, method: str, path: str, body: bytes = b"", headers: Headers | None = None) -> Answer:
        given = {name.lower(): value for name, value in (headers or {}).items()}
        behaviour = self._behaviour(path.partition("?")[0])
        if method not in behaviour["allowedMethods"]:
            return 403, {}, b"not allowed"
        policy = self._cache_policy(behaviour["cachePolicyId"])
        key = self._key(path, given, policy)
        cacheable = method in behaviour["cachedMethods"]
        kept = self._kept.get(key) if cacheable else None
        if kept is not None and self.now_s < kept[0]:
            return kept[1]
        forwarded, query = self._passed_on(behaviour["originRequestPolicyId"], policy, given, method)
        self.passed_on += 1
        answer = self._origin(method, path if query else path.partition("?")[0], body, forwarded)
        ttl_s = self._ttl_s(answer, policy)
        if cacheable and ttl_s > 0 and "range" not in given:
            self._kept[key] = (self.now_s + ttl_s, answer)
        return answer

    def invalidate(self, pattern: str) -> None:
        """Forget all whose path matches."""
        self._kept = {key: kept for key, kept in self._kept.items() if not _matches(pattern, str(key[0]))}

    def _behaviour(self, path: str) -> Mapping[str, Any]:
        ordered: list[Mapping[str, Any]] = self._config["orderedCacheBehaviors"]
        default: Mapping[str, Any] = self._config["defaultCacheBehavior"]
        return next((one for one in ordered if _matches(one["pathPattern"], path)), default)

    def _cache_policy(self, id_: str) -> _Policy:
        if id_ == CACHING_DISABLED:
            return _Policy((0, 0, 0), frozenset(), queries=False)
        policy = next(one for one in self._graph.of_type("aws:cloudfront/cachePolicy:CachePolicy") if one.id == id_)
        parameters = policy.inputs["parametersInCacheKeyAndForwardedToOrigin"]
        return _Policy(
            (policy.inputs["minTtl"], policy.inputs["maxTtl"], policy.inputs["defaultTtl"]),
            _named(parameters["headersConfig"]),
            queries=parameters["queryStringsConfig"]["queryStringBehavior"] != "none",
        )

    def _key(self, path: str, given: Headers, policy: _Policy) -> tuple[object, ...]:
        bare, _, query = path.partition("?")
        headers = tuple(sorted((name, given.get(name)) for name in policy.headers))
        return bare, query if policy.queries else "", headers

    def _passed_on(self, id_: str, policy: _Policy, given: Headers, method: str) -> tuple[Headers, bool]:
        """The headers, and whether the query goes with them."""
        if id_ == ALL_VIEWER:
            return given, True
        kind = "aws:cloudfront/originRequestPolicy:OriginRequestPolicy"
        requested = next(one for one in self._graph.of_type(kind) if one.id == id_).inputs
        names = ALWAYS | policy.headers | _named(requested["headersConfig"])
        if method not in ("GET", "HEAD"):
            names |= {"authorization"}
        query = policy.queries or requested["queryStringsConfig"]["queryStringBehavior"] != "none"
        return {name: value for name, value in given.items() if name in names}, query

    def _ttl_s(self, answer: Answer, policy: _Policy) -> int:
        status, headers, _ = answer
        least, most, otherwise = policy.ttl_s
        stated = _stated_s(headers.get("cache-control", ""))
        if status in ERRORS or (status in ERRORS_IF_TOLD and stated):
            errors: dict[int, int] = {
                error["errorCode"]: error["errorCachingMinTtl"] for error in self._config["customErrorResponses"]
            }
            return max(errors.get(status, 10), min(stated or 0, most))
        if status >= 400:
            return 0
        if stated is None:
            return max(least, otherwise)
        return min(max(least, stated), most)


def _stated_s(cache_control: str) -> int | None:
    """For how long the origin lets it be kept; None where it does not say."""
    directives = {
        name.strip().lower(): value for name, _, value in (d.partition("=") for d in cache_control.split(","))
    }
    if directives.keys() & {"no-cache", "no-store", "private"}:
        return 0
    stated = directives.get("s-maxage", directives.get("max-age"))
    return int(stated) if stated else None


def _named(config: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(name.lower() for name in config.get("headers", {}).get("items", ()))


def _matches(pattern: str, path: str) -> bool:
    return bool(re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), path, re.DOTALL))
