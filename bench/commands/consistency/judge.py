"""Judgement of each answer. Pure: no request is sent here, and no clock is read."""

from __future__ import annotations

import enum
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Literal

from bench.commands.consistency.items import CheckedItem, File, Project
from bench.index.pages import ListedFile

Change = Literal["upload", "removal"]

NAMELESS = "unnamed"
_MAX_EXAMPLES = 20


class ReadKind(enum.Enum):
    """Kind of a read, as asked or as answered: an index may answer with HTML where JSON was asked for."""

    LISTING_HTML = "listing_html"
    LISTING_JSON = "listing_json"
    INDEX_PAGE = "index_page"
    DOWNLOAD = "download"


class AnswerFault(enum.Enum):
    """Fault of an answer. `bench.commands.consistency.model.Faults`, which counts them, says what each is."""

    STALE = "stale"
    STALE_REMOVAL = "stale_removal"
    LOST = "lost"
    """A page misses what the same task had shown, a download what any task had."""
    EARLY = "early"
    WRONG_DIGEST = "wrong_digest"
    WRONG_BYTES = "wrong_bytes"


@dataclass(frozen=True)
class Read:
    """One answer to a read."""

    task: str
    """As its X-Served-By names it; empty where it does not."""
    kind: ReadKind
    sent_s: float
    """When the request was about to be sent."""
    done_s: float
    """When the last byte of the answer was there."""


@dataclass
class Lag:
    """Delay with which one task followed one change of one file or project."""

    right: int = 0
    """Answers that knew of it, since the last one that did not."""
    misses: int = 0
    oldest_miss_s: float = 0.0
    """The longest time after the change at which an answer that does not know of it was asked for."""
    settled_s: float | None = None
    """Time from the change until the first answer was there that was asked for after the last miss, and knew of it."""
    _last_miss_sent_s: float = -inf
    _settled_sent_s: float = -inf

    def note(self, read: Read, changed_s: float, *, knows: bool) -> None:
        """Add an answer that was asked for when the change was complete."""
        if not knows:
            self.misses += 1
            self.oldest_miss_s = max(self.oldest_miss_s, read.sent_s - changed_s)
            self._last_miss_sent_s = max(self._last_miss_sent_s, read.sent_s)
            # Answers overtake one another: what was asked for before the one that settled it does not count against it.
            if read.sent_s > self._settled_sent_s:
                self.right, self.settled_s = 0, None
        elif read.sent_s > self._last_miss_sent_s:
            self.right += 1
            if self.settled_s is None:
                self.settled_s, self._settled_sent_s = read.done_s - changed_s, read.sent_s


@dataclass
class Tally:
    """The answers of one task."""

    reads: int = 0
    """Those that prove something: they had to show, or to hide, what had changed before they were asked for."""
    idle_reads: int = 0
    """Those that came while nothing had to be shown or hidden."""
    faults: Counter[AnswerFault] = field(default_factory=Counter)
    """Answers with each fault. An answer may have several."""
    errors: Counter[str] = field(default_factory=Counter)
    """Answers that tell nothing, by what they were instead."""


class Judge:
    """Holds every answer against what had to be so."""

    def __init__(self) -> None:
        self.tallies: defaultdict[str, Tally] = defaultdict(Tally)
        """By task."""
        self.reads_by_kind: Counter[ReadKind] = Counter()
        """Answers that were judged, idle ones included."""
        self.lags: dict[tuple[str, Change, str], Lag] = {}
        """By label of the thing, change, and task."""
        self.examples: list[str] = []
        """A sentence for the first few faults other than a stale answer."""
        self._first_shown_s: dict[tuple[str, str], float] = {}
        """By label and task: when the first answer was complete that showed it. Task '*' is any."""

    @property
    def faults(self) -> Counter[AnswerFault]:
        """Answers of all tasks with each fault."""
        return sum((tally.faults for tally in self.tallies.values()), Counter())

    def listing(self, read: Read, project: Project, listed: Mapping[str, ListedFile]) -> None:
        """Judge a project's listing; one that does not exist lists nothing."""
        unknown = listed.keys() - {file.label for file in project.files}
        faults = [self._exemplify(AnswerFault.EARLY, read, filename) for filename in sorted(unknown)]
        proves = False
        for file in project.files:
            link = listed.get(file.label)
            wrong, counts = self._presence(read, file, read.task, shown=link is not None)
            faults += wrong
            proves |= counts
            if link and link.sha256 is not None and link.sha256 != file.wheel.sha256:
                faults.append(
                    self._exemplify(AnswerFault.WRONG_DIGEST, read, f"{file.label} with SHA-256 {link.sha256}")
                )
        self._count(read, faults, proves)

    def index_page(self, read: Read, project: Project, *, named: bool) -> None:
        """Judge the index page by whether it names a project."""
        faults, proves = self._presence(read, project, read.task, shown=named)
        self._count(read, faults, proves)

    def download(self, read: Read, file: File, content: bytes | None) -> None:
        """Judge a download; None is the answer that there is no such file."""
        # Whoever has seen it listed expects to get it, from whichever task.
        faults, proves = self._presence(read, file, "*", shown=content is not None)
        if content is not None and content != file.content:
            what = f"the first {len(content)}" if file.content.startswith(content) else f"{len(content)} other"
            sentence = f"{file.label}, {what} bytes in place of its {len(file.content)}"
            faults.append(self._exemplify(AnswerFault.WRONG_BYTES, read, sentence))
        self._count(read, faults, proves)

    def error(self, task: str, reason: str) -> None:
        """Count an answer that tells nothing, or that did not come (task '')."""
        self.tallies[task].errors[reason] += 1

    def follows(self, item: CheckedItem, change: Change, task: str, answers: int) -> bool:
        """Whether the last `answers` answers of a task all knew of a change."""
        lag = self.lags.get((item.label, change, task))
        return lag is not None and lag.right >= answers

    def answered(self, item: CheckedItem, change: Change, task: str) -> bool:
        """Whether a task gave any answer that proves something about a change."""
        return (item.label, change, task) in self.lags

    def lagged(self, item: CheckedItem, change: Change) -> bool:
        """Whether any answer did not know of a change."""
        return any(lag.misses for (label, of, _), lag in self.lags.items() if (label, of) == (item.label, change))

    def _presence(self, read: Read, item: CheckedItem, viewer: str, *, shown: bool) -> tuple[list[AnswerFault], bool]:
        """Faults of its being shown, or not; and whether that proves anything."""
        faults = []
        must_show, must_hide = (rule(read.sent_s, read.done_s) for rule in (item.must_show, item.must_hide))
        changed_s = item.changed_s(read.sent_s)
        proves = must_show or (must_hide and changed_s > -inf)
        if proves:
            change: Change = "upload" if must_show else "removal"
            lag = self.lags.setdefault((item.label, change, read.task), Lag())
            lag.note(read, changed_s, knows=shown == must_show)
            if shown != must_show:
                faults.append(AnswerFault.STALE if must_show else AnswerFault.STALE_REMOVAL)
        elif shown and must_hide:
            faults.append(self._exemplify(AnswerFault.EARLY, read, item.label))
        shown_s = self._first_shown_s.get((item.label, viewer), inf)
        if not shown and shown_s <= read.sent_s and not item.may_be_gone(shown_s, read.done_s):
            faults.append(self._exemplify(AnswerFault.LOST, read, item.label))
        if shown and read.kind is not ReadKind.DOWNLOAD:
            for who in (read.task, "*"):
                self._first_shown_s.setdefault((item.label, who), read.done_s)
        return faults, proves

    def _exemplify(self, fault: AnswerFault, read: Read, what: str) -> AnswerFault:
        sentence = f"{fault.value}: {read.kind.value} of {read.task or NAMELESS}: {what}"
        if len(self.examples) < _MAX_EXAMPLES and sentence not in self.examples:
            self.examples.append(sentence)
        return fault

    def _count(self, read: Read, faults: Iterable[AnswerFault], proves: bool) -> None:
        tally = self.tallies[read.task]
        self.reads_by_kind[read.kind] += 1
        tally.reads += proves
        tally.idle_reads += not proves
        tally.faults.update(set(faults))
