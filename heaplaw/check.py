"""Check a subject: run the campaigns, judge them while they run, minimise what broke."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from heaplaw.errors import HostError, UsageError
from heaplaw.models import generate
from heaplaw.models.scenes import PROFILE
from heaplaw.models.table import BOUNDARY_SHARE
from heaplaw.spec.catalogue import CATALOGUE, laws_of
from heaplaw.spec.event import NULL, Status
from heaplaw.spec.history import Completed, End, History, Op, Trace, make_trace
from heaplaw.spec.judge import Tally
from heaplaw.spec.law import AnyLaw, Scope, implied
from heaplaw.spec.protocols import Limits
from heaplaw.spec.shapes import ALIGN_TAKERS, MAKERS, REQUESTS, TAKERS, Kind
from heaplaw.spec.verdict import Verdict, Violated, Violation

from .cost.judged import LAW as COST_LAW
from .cost.judged import Judged
from .cost.judged import judge as judge_costs
from .interrupts import asked, held
from .judges import FastJudge
from .minimise import LIMITS, Witness, minimise, take
from .staging import Clauses, silent, staged
from .subjects import Expected, ProcessSubject
from .subjects.base import OBJECTS
from .subjects.viewed import AGAIN, length_of

if TYPE_CHECKING:
    from .search import Searching

APART = ("first", PROFILE)
"""Runs of a few operations, each in a process of its own: how they end is what laws say of it."""
LATER = 8
"""Once a law's witness is found, those of further laws, likely consequences, get this many times less time."""
PARTING = 1.5
"""Seconds that an interrupted check takes for making its witnesses short."""
Counts = Callable[[int, int, int], None]
"""Told while a run is judged: operations judged, operations of the run, laws found broken in it."""
STRIDE = 2**18
"""Operations judged between two looks at the run, and at the user."""


@dataclass
class Report:
    """What came of checking one subject."""

    subject: ProcessSubject
    seed: int
    verdicts: list[Verdict]
    witnesses: list[Witness] = field(default_factory=list[Witness])
    operations: int = 0
    seconds: float = 0.0
    ends: list[tuple[str, End]] = field(default_factory=list[tuple[str, End]])
    interrupted: bool = False
    last_words: str = ""
    clauses: Clauses = field(default_factory=Clauses)
    """What was seen where standards differ, and what each says of it."""
    short: bool = False
    """Fewer operations were asked for than are run when nothing is said, or the run was interrupted."""
    costs: Judged | None = None
    """What calls cost, where a cost is promised."""

    @property
    def expected(self) -> dict[str, Expected]:
        """The violations that are known, by law; not those of other dialects than were expected."""
        declared = self.subject.env.dialects
        return {known.law: known for known in self.subject.expected if self.clauses.foreseen(known, declared)}

    @property
    def broken(self) -> list[Verdict]:
        """The laws that are violated, and were not expected to be."""
        found = (verdict for verdict in self.verdicts if isinstance(verdict.outcome, Violated))
        return [verdict for verdict in found if verdict.law not in self.expected]

    def subject_of(self, witness: Witness) -> ProcessSubject:
        """What a witness was found on: the subject, or the one that looks at its free list."""
        return self.subject.viewer if witness.viewed and self.subject.viewer else self.subject

    def said(self, witness: Witness) -> str:
        """What a Python object answered instead of a block, in its own words: the witness is run once more."""
        at = max(witness.violation.operations, default=-1)
        odd = at >= 0 and witness.history.columns["status"][at] in (Status.WRONG, Status.DIED)
        if self.subject.spec["kind"] not in OBJECTS or not odd or not witness.runs or self.interrupted:
            return ""
        self.subject.close()
        self.subject.run(witness.trace, LIMITS)
        return self.subject.host(0).last_words()


@dataclass
class Finding:
    """The first violation of a law, with the history that shows it."""

    law: AnyLaw
    violation: Violation
    history: History
    viewed: bool = False
    """It was found while somebody looked at the free list after every operation."""


def first_traces(subject: ProcessSubject) -> Iterator[Trace]:
    """One short trace for each operation, which comes first in it; of a null pointer, where it takes a block."""
    shape, env = subject.shape, subject.env
    size, align = (48, min(64, int(env.max_request_align))) if shape.sized else (int(env.block_size), 0)
    asking = next(kind for kind in REQUESTS if kind in subject.kinds)
    aligned = {"align": align} if asking in ALIGN_TAKERS else {}
    for kind in sorted(subject.kinds):
        slot = {"slot": NULL} if kind in TAKERS and "free null" in subject.offers else {}
        if kind == Kind.RELEASE or (kind in TAKERS and not slot):
            continue
        first = Op(kind, size if kind in MAKERS else 0, align=align if kind in ALIGN_TAKERS else 0, **slot)
        if kind == Kind.ALIGNED and shape.sized:
            first = Op(kind, 64, align=align)
        if shape.sized and kind in REQUESTS:  # nothing is live yet: 0 bytes surely fit
            yield make_trace(shape.name, [replace(first, size=0)], env, profile="first")
        then = [Op(asking, size // 2 if shape.sized and not aligned else size, **aligned)]
        last = [Op(Kind.FREE, slot=1)] if Kind.FREE in subject.kinds else []
        yield make_trace(shape.name, [first, *then, *last], env, profile="first")


@dataclass
class Check:
    """One check in progress."""

    subject: ProcessSubject
    seed: int
    operations: int
    laws: Sequence[AnyLaw]
    limits: Limits = Limits()
    profile: str = "mixed"
    boundary_share: float = BOUNDARY_SHARE
    progress: Callable[[str], None] = lambda _text: None
    counts: Counts = lambda _done, _total, _broken: None
    searching: "Searching | None" = None
    """More traces after the campaigns, drawn from what their runs show."""
    tallies: dict[str, Tally] = field(default_factory=dict[str, Tally])
    findings: dict[str, Finding] = field(default_factory=dict[str, Finding])
    done: int = 0
    ends: list[tuple[str, End]] = field(default_factory=list[tuple[str, End]])
    last_words: str = ""
    costs: Judged | None = None
    """What was counted, where a cost is promised."""
    clauses: Clauses = field(default_factory=Clauses)

    def __post_init__(self) -> None:
        self.tallies = {law.name: Tally(law) for law in self.laws}

    @property
    def applicable(self) -> list[AnyLaw]:
        """The laws that can be judged on this subject."""
        return [law for law in self.spoken() if not law.scenes]

    def spoken(self) -> list[AnyLaw]:
        """Those, and the laws that scenes alone judge."""
        offered, dialects = implied(self.subject.offers), self.subject.env.dialects
        return [law for law in self.laws if law.needs <= offered and not silent(law, dialects)]

    def run(self) -> None:
        """Run and judge every campaign."""
        subject = self.subject
        small = "C functions" not in subject.offers
        self.progress("drawing operations")
        for trace in generate.campaigns(
            subject.shape.name,
            subject.kinds,
            subject.env,
            self.operations,
            self.seed,
            self.profile,
            self.boundary_share,
            small,
            subject.instances,
        ):
            self.progress(f"the {trace.profile} run")
            self.one(trace)
            known = {expected.law for expected in subject.expected}
            if not isinstance(self.ends[-1][1], Completed) and "failure_is_reported" in known:
                self.progress("once more without requests that can only be refused, which ended the run as expected")
                self.one(without_huge(trace))
            self.progress("drawing operations")
        if "C functions" in self.subject.offers and self.profile != "uniform":
            self.progress("first operations, each in a fresh process")
            for trace in first_traces(self.subject):
                self.absorb(self.subject.run_fresh(trace, self.limits))
        if self.searching is not None:
            self.searching(self)
        if self.profile != "uniform":
            self.progress("single clauses, each in a fresh process")
            self.scenes()
        if self.subject.viewer is not None:
            self.progress("a run in which the free list is looked at")
            self.look(self.subject.viewer)
        if "constant cost" in subject.offers and COST_LAW in self.tallies:
            self.progress("counting instructions")
            self.costs = judge_costs(subject, self.limits)
            self.tallies[COST_LAW] = self.costs.tally

    def scenes(self) -> None:
        """Run and judge every scene. They are few operations, run apart: they do not count as the run's."""
        laws = self.spoken()
        for history, tallies in staged(self.subject, laws, self.limits):
            self.clauses.take(history, laws)
            self.add(tallies, history)

    def look(self, viewer: ProcessSubject) -> None:
        """Run a few operations where the free list is looked at after each; what broke before is not judged again.

        Then once more so what broke a law while nobody looked: which step broke the list is what the list laws tell.
        """
        shown, seen, known = viewer.offers - self.subject.offers, implied(viewer.offers), self.applicable
        on_list = [law for law in self.laws if law not in known and law.needs & shown and law.needs <= seen]
        laws = [law for law in self.laws if law in known or law in on_list]
        # What ended a run is looked at first; scenes misuse the subject, after which a list may look as it likes.
        found = [each for each in self.findings.values() if each.history.trace.profile not in APART]
        ended = {each.law.name: Status.DIED in each.history.columns["status"][-1:] for each in found}
        broke = min(found, key=lambda each: (not ended[each.law.name], *nearness(each)), default=None)
        trace = next(
            generate.campaigns(
                viewer.shape.name,
                viewer.kinds,
                viewer.env,
                length_of(self.operations),
                self.seed,
                self.profile,
                self.boundary_share,
                instances=viewer.instances,
            )
        )
        history = viewer.run(trace, self.limits)
        self.collect(FastJudge(history, [law for law in laws if law.name not in self.findings]), history, viewed=True)
        left = [law for law in on_list if law.name not in self.findings]
        if broke is not None and left:
            self.progress("what broke a law once more, while the free list is looked at")
            steps = len(broke.history) - ended[broke.law.name]
            history = viewer.run(generate.cut(broke.history.trace, min(steps, AGAIN)), self.limits)
            self.collect(FastJudge(history, left), history, viewed=True)

    def one(self, trace: Trace) -> None:
        """Run one trace, judging what has returned while the rest runs."""
        host = self.subject.host(len(trace))
        host.start(trace, self.limits)
        history = host.history(trace, self.subject.told)
        judge = FastJudge(history, self.applicable)
        try:
            while not host.ended(0.002):
                with held():
                    judge.feed(min(host.progress() // 4096 * 4096, judge.done + STRIDE))
                    self.counts(judge.done, len(trace), sum(tally.broken > 0 for tally in judge.tallies.values()))
        except KeyboardInterrupt:
            host.kill()
            judge.history = returned(history, min(host.progress(), judge.done + STRIDE))
            self.collect(judge, judge.history)
            self.subject.close()
            raise
        with held():
            history = host.finish(trace, self.subject.told)
            judge.history = history
            self.last_words = host.last_words() if not isinstance(history.end, Completed) else self.last_words
            self.collect(judge, history)

    def absorb(self, history: History) -> None:
        """Judge a finished history."""
        self.collect(FastJudge(history, self.applicable), history)

    def collect(self, judge: FastJudge, history: History, viewed: bool = False) -> None:
        """Add up what a judge found."""
        self.add(judge.finish().values(), history, viewed)
        self.done += judge.called

    def add(self, found: Iterable[Tally], history: History, viewed: bool = False) -> None:
        """Add up what was found in one history; keep the first violation of each law with it."""
        for one in found:
            name, tally = one.law.name, self.tallies[one.law.name]
            tally.judged += one.judged
            tally.broken += one.broken
            tally.runs += 1
            tally.violations = (tally.violations + one.violations)[:20]
            if one.violations and name not in self.findings:
                first = one.violations[0]
                self.findings[name] = Finding(CATALOGUE[name], first, frozen(history, first), viewed)
        self.ends.append((history.trace.profile, history.end))

    def verdicts(self) -> list[Verdict]:
        """A verdict for every law."""
        offered, dialects = implied(self.subject.shown), self.subject.env.dialects
        open_ = {"clause"}
        return [
            tally.verdict((tally.law.needs - offered) or (open_ if silent(tally.law, dialects) else ()))
            for tally in self.tallies.values()
        ]


def without_huge(trace: Trace) -> Trace:
    """The trace without requests for more than 1 TiB."""
    sizes, counts = (np.asarray(trace.columns[name], float) for name in ("size", "count"))
    return take(trace, np.flatnonzero(sizes * counts <= 2.0**40))


def returned(history: History, n: int) -> History:
    """The first `n` operations of a run that was cut short: the one after them may be under way."""
    columns: dict[str, Any] = {name: history.columns[name] for name in history.columns}
    trace = generate.cut(history.trace, n)
    return replace(history, trace=trace, columns={name: column[:n] for name, column in columns.items()})


def nearness(finding: Finding) -> tuple[bool, int]:
    """Sorts findings, those first that are likely to lie nearest to a cause: early ones, and whole runs last."""
    return finding.law.scope is Scope.RUN, max(finding.violation.operations, default=0)


def frozen(history: History, violation: Violation) -> History:
    """A copy of what a witness needs of a history: the host's columns are written over by the next run."""
    last = max(violation.operations, default=len(history) - 1) + 1
    trace = generate.cut(history.trace, last)
    columns: dict[str, Any] = dict(history.columns)
    kept = {name: column[:last].copy() for name, column in columns.items()}
    return replace(history, trace=trace, columns=kept)


def check(
    subject: ProcessSubject,
    seed: int,
    operations: int | None = None,
    limits: Limits = Limits(),
    profile: str = "mixed",
    seconds: float = 20.0,
    boundary_share: float = BOUNDARY_SHARE,
    progress: Callable[[str], None] = lambda _text: None,
    counts: Counts = lambda _done, _total, _broken: None,
    searching: "Searching | None" = None,
) -> Report:
    """Judge `subject` by every law of its shape; minimise the first violation of each law that is broken.

    `boundary_share`: the part of a mixed run's operations that belong to groups around a refused request.
    `searching`: a search that follows the campaigns.
    `seconds`: the time limit for minimising each law. `progress` is told what is done, `counts` how far a run is.
    """
    started = time.monotonic()
    state = Check(
        subject,
        seed,
        operations or subject.operations,
        laws_of(subject.shape.name, scenes=True),
        limits,
        profile,
        boundary_share,
        progress,
        counts,
        searching,
    )
    interrupted = False
    try:
        state.run()
    except KeyboardInterrupt:
        interrupted = True
    witnesses: list[Witness] = []
    parting = time.monotonic() + PARTING
    known = {expected.law for expected in subject.expected if state.clauses.foreseen(expected, subject.env.dialects)}
    for finding in sorted(state.findings.values(), key=nearness):
        if finding.law.name in known:
            continue
        on = subject.viewer if finding.viewed and subject.viewer else subject
        if interrupted:
            left = parting - time.monotonic()
            witnesses.append(in_haste(on, finding, left) if left > 0 else unshrunk(finding))
            continue
        progress(f"minimising {finding.law.id} {finding.law.name}")
        limit = seconds / LATER if any(earlier.complete for earlier in witnesses) else seconds
        witness = minimise(on, finding.law, finding.history, finding.violation, limit, witnesses)
        interrupted = asked()
        witnesses.append(replace(witness, viewed=finding.viewed))
    return Report(
        subject,
        seed,
        state.verdicts(),
        witnesses,
        state.done,
        time.monotonic() - started,
        state.ends,
        interrupted,
        state.last_words,
        clauses=state.clauses,
        short=interrupted or state.operations < subject.operations,
        costs=state.costs,
    )


def in_haste(subject: ProcessSubject, finding: Finding, seconds: float) -> Witness:
    """A witness for a user who waits: the search is short, and a further interrupt ends it."""
    try:
        return replace(
            minimise(subject, finding.law, finding.history, finding.violation, seconds), viewed=finding.viewed
        )
    except (KeyboardInterrupt, HostError, UsageError):
        return unshrunk(finding)


def unshrunk(finding: Finding) -> Witness:
    """What is known of a finding before it is minimised."""
    return Witness(
        finding.law.name,
        finding.history.trace,
        finding.violation,
        finding.history,
        len(finding.history),
        complete=False,
        viewed=finding.viewed,
    )
