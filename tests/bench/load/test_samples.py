import errno
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.common.failures import DiskFullError
from bench.index.errors import ErrorKind
from bench.load.samples import COLUMNS, Operation, Recorder, Samples, percentile


def record_numbered(recorder: Recorder, rows: int) -> None:
    for number in range(rows):
        recorder.record(
            Operation(number % 4),
            number % 2,
            due_s=100.0 + number,
            sent_s=100.5 + number,
            done_s=102.0 + number,
            first_byte_s=101.0 + number if number % 3 else math.nan,
            status=200 + number % 5,
            received_bytes=number * 10**9,
            served_by=f"task-{number % 3}",
            server_s=number / 8 if number % 2 else math.nan,
            auth_s=number / 16 if number % 2 else math.nan,
            error=ErrorKind(number % 7),
        )


def assert_same(one: Samples, other: Samples) -> None:
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert one.served_by_names == other.served_by_names
    assert one.phase_names == other.phase_names


def test_a_row_comes_back_as_recorded_with_times_from_the_start_of_the_load(tmp_path: Path) -> None:
    recorder = Recorder(("baseline", "burst"), tmp_path, started_s=100.0)
    recorder.record(
        Operation.DOWNLOAD,
        1,
        due_s=100.25,
        sent_s=100.5,
        done_s=103.0,
        first_byte_s=102.0,
        status=503,
        received_bytes=5_000_000_000,
        served_by="task-a",
        server_s=0.75,
        auth_s=0.5,
        error=ErrorKind.STATUS,
    )
    samples = recorder.finish()

    assert len(samples) == 1
    assert (samples.due_s[0], samples.sent_s[0], samples.first_byte_s[0], samples.done_s[0]) == (0.25, 0.5, 2.0, 3.0)
    assert samples.latency_s[0] == 2.75
    assert samples.service_time_s[0] == 2.5
    assert samples.operation[0] == Operation.DOWNLOAD
    assert samples.status[0] == 503
    assert samples.received_bytes[0] == 5_000_000_000
    assert samples.served_by_names[samples.served_by[0]] == "task-a"
    assert samples.phase_names[samples.phase[0]] == "burst"
    assert samples.server_s[0] == 0.75
    assert samples.auth_s[0] == 0.5
    assert samples.error[0] == ErrorKind.STATUS
    assert samples.failed[0]
    assert (recorder.requests, recorder.failed) == (1, 1)


@given(rows=st.integers(0, 40), chunk_rows=st.integers(1, 12))
def test_rows_that_went_through_the_file_equal_those_that_stayed_in_memory(
    tmp_path_factory: pytest.TempPathFactory, rows: int, chunk_rows: int
) -> None:
    spill_dir = tmp_path_factory.mktemp("spill")
    spilled = Recorder(("a", "b"), spill_dir, started_s=100.0, chunk_rows=chunk_rows)
    held = Recorder(("a", "b"), spill_dir, started_s=100.0)
    record_numbered(spilled, rows)
    record_numbered(held, rows)

    assert_same(spilled.finish(), held.finish())
    assert list(spill_dir.iterdir()) == [], "the spill file has no name, so nothing can be left behind"


def test_finish_may_be_called_while_rows_still_come(tmp_path: Path) -> None:
    recorder = Recorder(("a", "b"), tmp_path, started_s=100.0, chunk_rows=4)
    record_numbered(recorder, 6)
    early = recorder.finish()
    record_numbered(recorder, 5)

    assert len(early) == 6
    assert len(recorder.finish()) == 11
    assert len(early) == 6


def test_samples_survive_a_file(tmp_path: Path) -> None:
    recorder = Recorder(("baseline", "burst"), tmp_path, started_s=100.0)
    record_numbered(recorder, 25)
    samples = recorder.finish()
    samples.save(tmp_path / "samples.npz")

    assert_same(Samples.load(tmp_path / "samples.npz"), samples)


def test_the_file_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    columns: dict[str, Any] = {
        **{name: np.array([1.5, 2.5]) for name in ("due_s", "sent_s", "first_byte_s", "done_s", "server_s")},
        **{name: np.array([0, 1], np.uint8) for name in ("operation", "phase", "error")},
        "status": np.array([200, 503], np.uint16),
        "received_bytes": np.array([7, 5_000_000_000], np.int64),
        "served_by": np.array([1, 0], np.uint16),
        "served_by_names": np.array(["", "task-1"]),
        "phase_names": np.array(["baseline", "burst"]),
    }
    np.savez_compressed(tmp_path / "samples.npz", **columns)
    samples = Samples.load(tmp_path / "samples.npz")

    assert samples.latency_s.tolist() == [0, 0]
    assert samples.received_bytes.tolist() == [7, 5_000_000_000]
    assert [samples.served_by_names[number] for number in samples.served_by] == ["task-1", ""]
    assert (samples.status.tolist(), samples.phase_names) == ([200, 503], ("baseline", "burst"))
    samples.save(tmp_path / "again.npz")
    with np.load(tmp_path / "samples.npz") as earlier, np.load(tmp_path / "again.npz") as later:
        assert {name: later[name].dtype for name in earlier} == {name: earlier[name].dtype for name in earlier}
        assert np.isnan(later["auth_s"]).all()


def test_no_samples_survive_a_file_too(tmp_path: Path) -> None:
    samples = Recorder(("burst",), tmp_path, started_s=0.0).finish()
    samples.save(tmp_path / "samples.npz")

    assert len(Samples.load(tmp_path / "samples.npz")) == 0


def test_a_full_disk_is_named_when_spilling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(("burst",), tmp_path, started_s=0.0, chunk_rows=1)

    def write_to_a_full_disk(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.write", write_to_a_full_disk)
    with pytest.raises(DiskFullError, match=str(tmp_path)):
        record_numbered(recorder, 1)


def test_where_keeps_the_rows_of_the_mask(tmp_path: Path) -> None:
    recorder = Recorder(("a", "b"), tmp_path, started_s=100.0)
    record_numbered(recorder, 20)
    samples = recorder.finish()
    listings = samples.where(samples.operation == Operation.LISTING)

    assert listings.due_s.tolist() == [1.0, 5.0, 9.0, 13.0, 17.0]
    assert listings.served_by_names == samples.served_by_names


@given(owners=st.lists(st.integers(0, 3), max_size=40), chunk_rows=st.integers(1, 8))
def test_parts_put_together_equal_what_one_would_have_recorded(
    tmp_path_factory: pytest.TempPathFactory, owners: list[int], chunk_rows: int
) -> None:
    spill_dir = tmp_path_factory.mktemp("spill")
    whole = Recorder(("burst",), spill_dir, started_s=100.0)
    parts = [Recorder(("burst",), spill_dir, started_s=100.0, chunk_rows=chunk_rows) for _ in range(4)]
    for number, owner in enumerate(owners):
        for recorder in (whole, parts[owner]):
            recorder.record(
                Operation.LISTING,
                0,
                due_s=100.0,
                sent_s=101.0,
                done_s=102.0 + number,
                status=number,
                served_by=f"task-{number * number % 5}",
            )
    expected = whole.finish()
    # As they come from other processes.
    merged = Samples.merged([pickle.loads(pickle.dumps(part.finish())) for part in parts], ("burst",))

    for name in COLUMNS.keys() - {"served_by"}:
        np.testing.assert_array_equal(getattr(merged, name), getattr(expected, name))
    assert [merged.served_by_names[n] for n in merged.served_by] == [
        expected.served_by_names[n] for n in expected.served_by
    ]
    assert len(set(merged.served_by_names)) == len(merged.served_by_names)


@pytest.mark.parametrize("percent", [50, 95, 99])
@given(parts=st.lists(st.lists(st.floats(0, 100), max_size=50), max_size=5))
def test_percentiles_of_parts_put_together_are_those_of_all_values(parts: list[list[float]], percent: float) -> None:
    def samples_of(done_s: list[float]) -> Samples:
        columns = {name: np.zeros(len(done_s)) for name in COLUMNS}
        return Samples.of({**columns, "done_s": np.array(done_s)}, [""], ["burst"])

    merged = Samples.merged([samples_of(part) for part in parts], ["burst"])

    every = sorted(value for part in parts for value in part)
    expected = every[math.ceil(len(every) * percent / 100) - 1] if every else None
    assert len(merged) == len(every)
    assert percentile(merged.latency_s, percent) == expected


def test_samples_that_are_moved_in_time_keep_all_but_their_moments(tmp_path: Path) -> None:
    recorder = Recorder(("burst",), tmp_path, started_s=0.0)
    record_numbered(recorder, 20)
    samples = recorder.finish()

    moved = samples.later_by(-0.5)

    for name in COLUMNS:
        shift_s = -0.5 if name in ("due_s", "sent_s", "first_byte_s", "done_s") else 0
        np.testing.assert_array_equal(getattr(moved, name), getattr(samples, name) + shift_s)
    np.testing.assert_allclose(moved.latency_s, samples.latency_s)


def test_nothing_put_together_is_no_samples() -> None:
    merged = Samples.merged([], ("baseline", "burst"))
    assert (len(merged), merged.served_by_names, merged.phase_names) == (0, (), ("baseline", "burst"))


def test_parts_that_name_more_servers_than_can_be_numbered(tmp_path: Path) -> None:
    parts = []
    for part in range(7):
        recorder = Recorder(("burst",), tmp_path, started_s=0.0)
        for number in range(10_050):
            recorder.record(Operation.LISTING, 0, 0.0, 0.0, 1.0, served_by=f"request {part} {number}")
        parts.append(recorder.finish())
    merged = Samples.merged(parts, ("burst",))
    assert len(merged.served_by_names) < 10_100
    assert merged.served_by_names[merged.served_by[-1]] == "others"


@pytest.mark.parametrize(("percent", "expected"), [(50, 50.0), (95, 95.0), (99, 99.0), (100, 100.0), (94.5, 95.0)])
def test_percentiles_of_one_to_a_hundred(percent: float, expected: float) -> None:
    assert percentile(np.random.default_rng(1).permutation(np.arange(1.0, 101.0)), percent) == expected


def test_no_values_have_no_percentile() -> None:
    assert percentile(np.empty(0), 95) is None


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.1, 100))
def test_a_percentile_is_the_smallest_value_that_enough_values_do_not_exceed(
    values: list[float], percent: float
) -> None:
    found = percentile(np.array(values), percent)
    assert found is not None
    assert found in values
    assert 100 * sum(value <= found for value in values) >= percent * len(values) * (1 - 1e-12)
    smaller = [value for value in values if value < found]
    assert 100 * len(smaller) < percent * len(values) * (1 + 1e-12)
