"""Files and projects that the check makes appear and disappear, and when each has to be shown.

All moments are those of `time.perf_counter` in this one process, so that no two clocks are compared; `inf` is not yet.
An answer that was asked for at `sent_s` and was complete at `done_s` may tell of any moment between the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from bench.packages.factory import Wheel


@dataclass(eq=False)
class File:
    """A wheel of the check, and how far its life has come."""

    wheel: Wheel
    content: bytes
    path: str | None = None
    """Where a listing says that it is, for a request line; None until one does."""
    begun_s: float = inf
    """When its upload was about to be sent."""
    uploaded_s: float = inf
    """When the answer to its upload was there, and said that it was taken."""
    removal_begun_s: float = inf
    removed_s: float = inf
    """When the answer to its removal was there, and said that it was done."""
    is_held: bool = False
    """The index said that it took the file, and nothing was asked of it since that could have removed it."""
    is_absent: bool = False
    """It may have been removed, or never taken, and the index says that it is not there."""

    @classmethod
    def of(cls, wheel: Wheel) -> File:
        """A wheel that has not been uploaded."""
        return cls(wheel, wheel.path.read_bytes())

    @property
    def label(self) -> str:
        """Its name in the result."""
        return self.wheel.filename

    @property
    def remains(self) -> bool:
        """Whether the index may have it."""
        return self.begun_s < inf and self.removed_s == inf and not self.is_absent

    def must_show(self, sent_s: float, done_s: float) -> bool:
        """Whether it was there all the time between these moments."""
        return self.uploaded_s <= sent_s and done_s < self.removal_begun_s

    def must_hide(self, sent_s: float, done_s: float) -> bool:
        """Whether it was gone, or not yet there, all the time between these moments."""
        return done_s < self.begun_s or self.removed_s <= sent_s

    def may_be_gone(self, shown_s: float, done_s: float) -> bool:
        """Whether what was there at `shown_s` may have been removed by `done_s`."""
        return self.removal_begun_s <= done_s

    def changed_s(self, sent_s: float) -> float:
        """When the last change was complete that an answer asked for at `sent_s` has to know of; -inf for none."""
        return max((moment for moment in (self.uploaded_s, self.removed_s) if moment <= sent_s), default=-inf)


@dataclass(eq=False)
class Project:
    """A project of the check: on the index page as long as it has a file. It has the methods of a file."""

    name: str
    files: Sequence[File]

    @property
    def label(self) -> str:
        return self.name

    def must_show(self, sent_s: float, done_s: float) -> bool:
        return any(file.must_show(sent_s, done_s) for file in self.files)

    def must_hide(self, sent_s: float, done_s: float) -> bool:
        return all(file.must_hide(sent_s, done_s) for file in self.files)

    def may_be_gone(self, shown_s: float, done_s: float) -> bool:
        """It may have been there for any one of its files; the others may have appeared later, or not at all."""
        return any(file.may_be_gone(shown_s, done_s) for file in self.files if file.begun_s <= shown_s)

    def changed_s(self, sent_s: float) -> float:
        """The first file made it appear; the last one to go made it disappear."""
        removals = [file.removed_s for file in self.files if file.removed_s <= sent_s]
        if removals and self.must_hide(sent_s, sent_s):
            return max(removals)
        return min((file.uploaded_s for file in self.files if file.uploaded_s <= sent_s), default=-inf)


CheckedItem = File | Project
"""Something that a page shows or does not."""
