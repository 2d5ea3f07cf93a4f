"""CloudFront: what has to hold before edges may keep package files, and the sentence where it does not."""

from __future__ import annotations

import pytest

from pypiserver_stack.settings import SettingsError, read_settings

ZONE = {"zone_id": "Z0123456789ABCDEFGHIJ"}
CERTIFICATE = {"certificate_arn": "arn:aws:acm:us-west-2:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"}
ON = {"cloudfront_enabled": "true", "removal_enabled": "false"}


def problems(**config: object) -> dict[str, str]:
    with pytest.raises(SettingsError) as refused:
        read_settings(config)
    return {problem.key: str(problem) for problem in refused.value.problems}


@pytest.mark.parametrize("more", [{}, CERTIFICATE, {"allow_http": "true"}, {"balancer_scheme": "internet-facing"}])
def test_what_it_takes(more: dict[str, str]) -> None:
    settings = read_settings({**ZONE, **ON, **more})
    assert settings.cloudfront_enabled
    assert not settings.internal


@pytest.mark.parametrize(
    ("more", "key", "message"),
    [
        ({"balancer_scheme": "internal"}, "balancer_scheme", "internet-facing, or left out"),
        ({"allowed_cidrs": "10.0.0.0/8"}, "allowed_cidrs", "takes CloudFront alone"),
        ({"authentication": "htpasswd"}, "authentication", "sha256 with cloudfront_enabled"),
        ({"authentication": "bcrypt"}, "authentication", "sha256 with cloudfront_enabled"),
        ({"backend": "simple-dir"}, "backend", "validated with cloudfront_enabled"),
        ({"stickiness_enabled": "true"}, "stickiness_enabled", "keep the cookie"),
        ({**CERTIFICATE, "certificate_issuers": "letsencrypt.org"}, "certificate_issuers", "must hold amazon.com"),
    ],
)
def test_what_does_not_go_with_it(more: dict[str, str], key: str, message: str) -> None:
    refused = problems(**ZONE, **ON, **more)
    assert list(refused) == [key]
    assert message in refused[key]
    assert "cloudfront_enabled" in refused[key]
    read_settings({**ZONE, **more})


@pytest.mark.parametrize("more", [{"allow_http": "true"}, CERTIFICATE])
def test_it_takes_a_zone(more: dict[str, str]) -> None:
    refused = problems(**ON, **more)
    assert list(refused) == ["cloudfront_enabled"]
    assert "set zone_id" in refused["cloudfront_enabled"]


@pytest.mark.parametrize(
    ("overwrite", "removal"), [("true", "true"), ("true", "false"), ("false", "true"), ("false", None)]
)
def test_files_that_change_or_go_are_not_kept(overwrite: str, removal: str | None) -> None:
    config = {"overwrite": overwrite} if removal is None else {"overwrite": overwrite, "removal_enabled": removal}
    refused = problems(**ZONE, cloudfront_enabled="true", **config)
    assert refused == {
        "cloudfront_enabled": (
            "cloudfront_enabled = 'true': takes overwrite false and removal_enabled false, which are "
            f"{overwrite} and {removal or 'true'}: an edge would go on serving a file that was replaced or removed"
        )
    }


@pytest.mark.parametrize(
    ("key", "value"), [("cloudfront_price_class", "PriceClass_All"), ("cloudfront_max_ttl_s", "60")]
)
def test_its_settings_mean_nothing_without_it(key: str, value: str) -> None:
    refused = problems(**ZONE, **{key: value})
    assert list(refused) == [key]
    assert "set cloudfront_enabled" in refused[key]
    read_settings({**ZONE, **ON, key: value})


@pytest.mark.parametrize("value", ["59", "31536001", "a day"])
def test_how_long_an_edge_may_keep_a_file(value: str) -> None:
    assert list(problems(**ZONE, **ON, cloudfront_max_ttl_s=value)) == ["cloudfront_max_ttl_s"]
