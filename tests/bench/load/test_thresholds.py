import click
import pytest

from bench.load.thresholds import FIGURES, Override, Threshold, thresholds_for
from bench.load.workloads import WORKLOADS


def parsed(text: str) -> Threshold:
    return Override().convert(text, None, None)


def test_the_defaults_are_the_plans() -> None:
    assert thresholds_for(WORKLOADS["burst"]) == (
        Threshold("listing_p95_s", 2.0),
        Threshold("download_p95_s", 5.0),
        Threshold("error_rate", 0.01),
        Threshold("status_5xx", 0.0),
    )


def test_uploads_alone_leave_out_what_they_cannot_observe() -> None:
    assert [threshold.name for threshold in thresholds_for(WORKLOADS["uploads"])] == ["error_rate", "status_5xx"]


def test_overrides_come_last_and_may_add_a_figure() -> None:
    overrides = [parsed("listing_p95_s=3"), parsed("upload_p99_s = 0.5")]
    assert thresholds_for(WORKLOADS["uploads"], overrides) == (
        Threshold("listing_p95_s", 3.0),
        Threshold("error_rate", 0.01),
        Threshold("status_5xx", 0.0),
        Threshold("upload_p99_s", 0.5),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("listing_p59_s=3", "no figure 'listing_p59_s'; did you mean listing_p9"),
        ("zzz=3", "no figure 'zzz'; the figures are redirect_p50_s, .*status_5xx"),
        ("=3", "no figure ''"),
        ("error_rate", "not a number from 0 to 1, a share of the requests, such as error_rate=0.05 for 5 %"),
        ("error_rate=few", "few is not a number from 0 to 1"),
        ("error_rate=-1", "-1 is not a number from 0 to 1"),
        ("error_rate=5", "5 is not a number from 0 to 1, .* such as error_rate=0.05 for 5 %"),
        ("error_rate=nan", "nan is not a number"),
        ("listing_p95_s=inf", "inf is not a number from 0 to 86,400, in seconds, such as listing_p95_s=3"),
        ("status_5xx=0.5", "0.5 is not a whole number from 0"),
    ],
)
def test_a_bad_override_is_refused(text: str, message: str) -> None:
    with pytest.raises(click.BadParameter, match=message):
        parsed(text)


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_takes_a_limit(name: str) -> None:
    assert parsed(f"{name}=1") == Threshold(name, 1.0)
