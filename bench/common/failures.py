"""Exit codes, and the errors that lead to them.

A `BenchError` is a sentence for a person: what is wrong, with the value that is, and the way out. It is printed without
a traceback. Anything else that escapes is a bug of ours and exits with `ExitCode.INTERNAL`.
"""

from __future__ import annotations

import enum
import errno

from pypiserver_stack.common.entry_point import UserError


class ExitCode(enum.IntEnum):
    """Exit code of `python -m bench`. docs/exit-codes.md is the page for users."""

    PASSED = 0
    INTERNAL = 1
    USAGE = 2
    THRESHOLDS_MISSED = 3
    UNAVAILABLE = 4
    LEFTOVERS = 5
    UNTRUSTWORTHY = 6
    REGRESSED = 7
    INCOMPARABLE = 8
    INTERRUPTED = 130


# Where several hold, the first of these is the exit code.
PRECEDENCE = (
    ExitCode.INTERRUPTED,
    ExitCode.LEFTOVERS,
    ExitCode.INTERNAL,
    ExitCode.UNAVAILABLE,
    ExitCode.USAGE,
    ExitCode.INCOMPARABLE,
    ExitCode.UNTRUSTWORTHY,
    ExitCode.REGRESSED,
    ExitCode.THRESHOLDS_MISSED,
)


def worst(codes: set[ExitCode]) -> ExitCode:
    """The exit code of a run in which all of `codes` hold; `PASSED` for an empty set."""
    return next((code for code in PRECEDENCE if code in codes), ExitCode.PASSED)


class BenchError(UserError):
    """A failure that a person can act on. The message is one sentence; `exit_code` says which kind it is."""

    exit_code: ExitCode = ExitCode.INTERNAL


class UsageError(BenchError):
    """A wrong option, setting, profile, instance type or stack file."""

    exit_code = ExitCode.USAGE


class UnavailableError(BenchError):
    """The stack did not come up, or the index is unreachable, refuses, or answers with something that is no index."""

    exit_code = ExitCode.UNAVAILABLE


class IncomparableError(BenchError):
    """Runs that differ where they must not, or a comparison with nothing to compare with."""

    exit_code = ExitCode.INCOMPARABLE


class DiskFullError(BenchError):
    """A write failed for want of space."""

    def __init__(self, path: object) -> None:
        super().__init__(
            f"no space left on the device while writing {path}: free some, "
            "or point --results, TMPDIR or XDG_CACHE_HOME elsewhere"
        )


def is_disk_full(error: BaseException) -> bool:
    """Whether `error` says that a disk, or the user's quota on it, is full."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
