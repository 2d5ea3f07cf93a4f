"""What a report derives from a record, at every point that a run can end at."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bench.common.failures import ExitCode
from bench.deployment.description import Limits
from bench.load.samples import Samples
from bench.report.build import RunRecord
from bench.report.figures import judge
from bench.report.model import CpuBySide, CpuTime, Loader, Percentiles, Report, ThresholdResult
from bench.report.outcome import Teardown
from tests.bench.report.reports import build_report

NOW = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
MET = ThresholdResult(name="listing_p95_s", limit=2.0, observed=1.5, samples=510, passed=True)
MISSED = ThresholdResult(name="error_rate", limit=0.01, observed=0.2, samples=510, passed=False)
WITHOUT_SAMPLES = ThresholdResult(name="download_p95_s", limit=5.0, observed=None, samples=0, passed=False)


@pytest.fixture
def bare() -> RunRecord:
    """A run that has only just begun."""
    return RunRecord(run_id="20261123-201500-3f2a", seed=1, started_at=NOW, command=["python", "-m", "bench"])


def test_a_run_that_got_nowhere_has_a_report_all_the_same(bare: RunRecord) -> None:
    bare.fail(ExitCode.USAGE, "no profile is called 'mediun': try medium")

    report = build_report(bare, NOW)

    assert (report.exit_code, report.verdict) == (2, "usage")
    assert report.failure == "no profile is called 'mediun': try medium"
    nulls = (report.stack, report.plan, report.local, report.workload, report.summary, report.operations)
    assert nulls == (None,) * 6
    assert (report.generator, report.teardown, report.phases, report.thresholds) == (None, None, [], [])


def test_all_thresholds_met_is_passed(bare: RunRecord) -> None:
    bare.thresholds = [MET]
    bare.teardown = Teardown(complete=True, leftovers=[])

    report = build_report(bare, NOW)

    assert (report.exit_code, report.verdict, report.failure) == (0, "passed", None)


def test_missed_thresholds_are_named(bare: RunRecord) -> None:
    bare.thresholds = [MET, MISSED, WITHOUT_SAMPLES]

    report = build_report(bare, NOW)

    assert (report.exit_code, report.verdict) == (3, "thresholds_missed")
    assert report.failure == "2 of 3 thresholds missed: error_rate, download_p95_s"


def test_leftovers_outrank_missed_thresholds_which_stay_visible(bare: RunRecord) -> None:
    bare.thresholds = [MISSED]
    bare.teardown = Teardown(complete=False, leftovers=["process 4711 (envoy)"])

    report = build_report(bare, NOW)

    assert (report.exit_code, report.failure) == (5, "left behind: process 4711 (envoy)")
    assert report.warnings == ["1 of 1 threshold missed: error_rate"]


def test_an_interruption_outranks_all_and_hides_nothing(bare: RunRecord) -> None:
    bare.fail(ExitCode.UNTRUSTWORTHY, "the load generator was busy 98 % of the time")
    bare.fail(ExitCode.INTERRUPTED, "interrupted by SIGTERM")
    bare.teardown = Teardown(complete=False, leftovers=["port 40123"])

    report = build_report(bare, NOW)

    assert (report.exit_code, report.failure) == (130, "interrupted by SIGTERM")
    assert report.warnings == ["left behind: port 40123", "the load generator was busy 98 % of the time"]


def test_of_several_failures_of_a_kind_the_first_is_told(bare: RunRecord) -> None:
    bare.fail(ExitCode.UNAVAILABLE, "task-1 did not become healthy")
    bare.fail(ExitCode.UNAVAILABLE, "connection refused")

    assert build_report(bare, NOW).failure == "task-1 did not become healthy"


def test_a_task_above_its_memory_limit_is_warned_of(report: Report) -> None:
    assert report.warnings[0].startswith("task task-2 used 530 MB, above its limit of 512 MB")
    assert not any("task-1" in warning for warning in report.warnings)


def with_limits(record: RunRecord, *, memory: bool, vcpus: int | None) -> Report:
    """A run that passes, under such limits."""
    assert record.local is not None
    limits = Limits(memory=memory, cpu_shares=memory, vcpus_per_instance=vcpus, not_enforced=())
    record.local = record.local.model_copy(update={"limits": limits})
    record.thresholds = [MET]
    return build_report(record, NOW)


@pytest.mark.parametrize(
    ("memory", "vcpus", "proved"),
    [
        (False, None, "2 of 12 tasks; the size was not tested"),
        (True, None, "2 of 12 tasks, each within its 512 MB; the CPU of the size was not tested"),
        (False, 2, "2 of 12 tasks, those of an instance within its 2 vCPUs; the memory of the size was not tested"),
        (
            *(True, 2),
            "2 of 12 tasks, each within its 512 MB, those of an instance within its 2 vCPUs; "
            "EFS, the network and the speed of a vCPU were not tested",
        ),
    ],
)
def test_passed_says_what_was_proved(record: RunRecord, memory: bool, vcpus: int | None, proved: str) -> None:
    report = with_limits(record, memory=memory, vcpus=vcpus)

    assert report.verdict == "passed"
    assert report.proved == f"the server and its settings hold this load on this machine with {proved}"


def test_a_run_that_did_not_pass_proved_nothing(report: Report, bare: RunRecord) -> None:
    assert (report.exit_code, report.proved) == (3, None)
    bare.thresholds = [MET]
    assert build_report(bare, NOW).proved == "the index holds this load"  # `bench load`


def test_a_task_that_was_killed_for_memory_has_not_passed(record: RunRecord) -> None:
    record.oom_kills = ["task-2 needed more memory than its limit of 512 MB: ..."]
    report = with_limits(record, memory=True, vcpus=None)

    assert (report.exit_code, report.proved) == (3, None)
    assert report.failure == "task-2 needed more memory than its limit of 512 MB: ..."
    record.thresholds = [MISSED]
    assert build_report(record, NOW).failure == (
        "1 of 1 threshold missed: error_rate; task-2 needed more memory than its limit of 512 MB: ..."
    )


def test_a_report_of_before_it_had_limits_and_a_machine_can_be_read(report: Report) -> None:
    old = report.model_dump(mode="json")
    del old["proved"], old["machine"], old["local"]["limits"]
    for memory in old["local"]["memory"]:
        del memory["oom_kills"], memory["first_oom_kill_at"]

    assert Report.model_validate(old) == report


def test_how_late_the_generator_was(report: Report) -> None:
    # Two of ten requests were sent late, by 0.25 s and 0.5 s.
    assert report.generator is not None
    assert report.generator.lateness_s == Percentiles(p50=0.0, p95=0.5, p99=0.5, max=0.5)


def test_how_busy_each_process_of_the_generator_was(report: Report) -> None:
    assert report.generator is not None
    assert report.generator.cpu_shares == [0.41, 0.3]
    assert report.generator.cpu_share == 0.41


def test_each_loader_is_described(report_of_loaders: Report) -> None:
    assert report_of_loaders.generator is not None
    assert report_of_loaders.generator.loaders == [
        Loader(name="tcp://10.0.0.5:40123", cpu_share=0.41, round_trip_s=0.0012, clock_residual_s=0.0024),
        Loader(name="tcp://10.0.0.6:40123", cpu_share=0.3, round_trip_s=0.0008, clock_residual_s=0.0016),
    ]


def test_processes_of_this_machine_are_no_loaders(report: Report) -> None:
    assert report.generator is not None
    assert report.generator.loaders == []


def test_what_the_load_cost_each_side(report: Report) -> None:
    assert report.cpu == CpuBySide(
        tasks=CpuTime(cpu_s=9.0, per_request_us=900_000.0),
        balancer=CpuTime(cpu_s=0.5, per_request_us=50_000.0),
        generator=CpuTime(cpu_s=14.2, per_request_us=1_420_000.0),
        per_task_s={"task-1": 6.0, "task-2": 3.0},
    )


def test_what_an_index_elsewhere_costs_is_not_known(record: RunRecord) -> None:
    record.stack = record.local = record.balancer_cpu_s = None
    record.tasks_cpu_s = {}
    cpu = build_report(record, NOW).cpu

    assert cpu is not None
    assert (cpu.tasks, cpu.balancer, cpu.per_task_s) == (None, None, {})


def test_the_share_of_each_task_is_held_against_those_that_ran(record: RunRecord) -> None:
    # 6 and 3 of 9 requests.
    assert build_report(record, NOW).per_task_deviation == pytest.approx(1 / 3)

    assert record.local is not None
    record.local = record.local.model_copy(update={"tasks_run": 3})
    assert build_report(record, NOW).per_task_deviation == 1.0

    record.local = None  # it was interrupted before that was known
    assert build_report(record, NOW).per_task_deviation is None

    record.stack = None  # `bench load`: those that answered are all that is known
    assert build_report(record, NOW).per_task_deviation == pytest.approx(1 / 3)


def test_thresholds_and_figures_agree(record: RunRecord, samples: Samples, report: Report) -> None:
    assert report.operations is not None
    assert report.operations.listing.latency_s is not None
    observed = {threshold.name: threshold.observed for threshold in report.thresholds}

    assert observed["listing_p95_s"] == report.operations.listing.latency_s.p95
    assert judge(samples, []) == []


def test_no_sentence_quotes_a_password(bare: RunRecord) -> None:
    bare.secrets = {"p@ss word/1"}
    bare.command = ["python", "-m", "bench", "load", "--url", "http://me:p%40ss%20word%2F1@index.example/"]
    bare.index_url = "http://me:other@index.example/"
    bare.warnings.append("the index answered 401 to 'p@ss word/1'")
    bare.fail(ExitCode.UNAVAILABLE, "http://me:p@ss word/1@index.example refuses")

    text = build_report(bare, NOW).model_dump_json()

    assert "ss word" not in text
    assert "ss%20word" not in text
    assert "other@" not in text
    assert "http://[secret]@index.example/" in text


def test_the_fingerprint_follows_what_decides_the_figures_and_nothing_else(record: RunRecord) -> None:
    before = build_report(record, NOW).fingerprint
    record.run_id, record.warnings, record.samples = "20270101-000000-beef", [], None
    assert build_report(record, NOW).fingerprint == before

    assert record.workload is not None
    record.workload = record.workload.model_copy(update={"clients": 511})
    other_workload = build_report(record, NOW).fingerprint
    assert other_workload != before

    record.seed = 43
    assert build_report(record, NOW).fingerprint not in {before, other_workload}
