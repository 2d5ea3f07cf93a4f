"""Results of thresholds: what was observed, on how many requests, and whether the limit holds."""

from __future__ import annotations

from pathlib import Path

from bench.index.errors import ErrorKind
from bench.load.samples import Operation, Recorder, Samples
from bench.load.thresholds import Threshold, thresholds_for
from bench.load.workloads import WORKLOADS
from bench.report.figures import judge


def samples_of(tmp_path: Path, *rows: tuple[Operation, float, int]) -> Samples:
    """Rows of (operation, latency in seconds, status)."""
    recorder = Recorder(("burst",), tmp_path, started_s=0.0)
    for operation, latency_s, status in rows:
        error = ErrorKind.STATUS if status >= 400 else ErrorKind.NONE
        recorder.record(operation, 0, due_s=0.0, sent_s=0.0, done_s=latency_s, status=status, error=error)
    return recorder.finish()


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
