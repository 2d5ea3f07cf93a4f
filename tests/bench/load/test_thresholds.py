from pathlib import Path

import click
import pytest

from bench.index.errors import ErrorKind
from bench.load.samples import Operation, Recorder, Samples
from bench.load.thresholds import FIGURES, Override, Threshold, judge, thresholds_for
from bench.load.workloads import WORKLOADS


def parsed(text: str) -> Threshold:
    return Override().convert(text, None, None)


def samples_of(tmp_path: Path, *rows: tuple[Operation, float, int]) -> Samples:
    """Rows of (operation, latency in seconds, status)."""
    recorder = Recorder(("burst",), tmp_path, started_s=0.0)
    for operation, latency_s, status in rows:
        error = ErrorKind.STATUS if status >= 400 else ErrorKind.NONE
        recorder.record(operation, 0, due_s=0.0, sent_s=0.0, done_s=latency_s, status=status, error=error)
    return recorder.finish()


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


def test_a_limit_must_stay_above_what_was_observed(tmp_path: Path) -> None:
    samples = samples_of(tmp_path, *[(Operation.LISTING, second / 100, 200) for second in range(1, 101)])
    assert [judge(samples, [Threshold("listing_p95_s", limit)])[0].passed for limit in (0.94, 0.95, 0.96)] == [
        False,
        False,
        True,
    ]


def test_a_verdict_says_what_it_stands_on(tmp_path: Path) -> None:
    samples = samples_of(
        tmp_path,
        (Operation.LISTING, 1.0, 200),
        (Operation.LISTING, 4.0, 503),
        (Operation.DOWNLOAD, 2.0, 200),
        (Operation.REDIRECT, 9.0, 302),
    )
    listing, download, error_rate, status_5xx = judge(samples, thresholds_for(WORKLOADS["burst"]))

    assert (listing.observed, listing.samples, listing.passed) == (4.0, 2, False), "the failed request counts"
    assert (download.observed, download.samples, download.passed) == (2.0, 1, True)
    assert (error_rate.observed, error_rate.samples, error_rate.passed) == (0.25, 4, False)
    assert (status_5xx.observed, status_5xx.samples, status_5xx.passed) == (1.0, 4, False)


def test_a_limit_of_zero_means_none(tmp_path: Path) -> None:
    samples = samples_of(tmp_path, (Operation.LISTING, 1.0, 200), (Operation.LISTING, 1.0, 404))
    limits = [Threshold("status_5xx", 0), Threshold("error_rate", 0)]
    assert [verdict.passed for verdict in judge(samples, limits)] == [True, False]


def test_a_threshold_without_samples_is_not_passed(tmp_path: Path) -> None:
    for verdict in judge(samples_of(tmp_path), thresholds_for(WORKLOADS["burst"])):
        assert (verdict.observed, verdict.samples, verdict.passed) == (None, 0, False)
    only_listings = samples_of(tmp_path, (Operation.LISTING, 1.0, 200))
    verdicts = {verdict.name: verdict.passed for verdict in judge(only_listings, thresholds_for(WORKLOADS["burst"]))}
    assert verdicts == {"listing_p95_s": True, "download_p95_s": False, "error_rate": True, "status_5xx": True}
