"""What `heaplaw check --json` and `heaplaw replay --json` print: the facts of the text, for programs.

Addresses are hexadecimal strings, other numbers decimal, operations are counted from 0. What depends on time or on the
machine's load stands in the entries `run`, which comparisons leave out.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from heaplaw.check import Report
from heaplaw.cost import text as cost_text
from heaplaw.minimise import involved_ranges
from heaplaw.spec.catalogue import law
from heaplaw.spec.dialects import NAMES
from heaplaw.spec.event import NONE, NULL, Status
from heaplaw.spec.history import Completed, Died, End, Exited, History, Hung
from heaplaw.spec.verdict import Error, Holds, NotApplicable, Unknown, Verdict, Violated
from heaplaw.steps import Telling, ending
from heaplaw.store import repetition
from heaplaw.subjects import ProcessSubject
from heaplaw.terminal import facts
from heaplaw.terminal.clauses import forces, spoken
from heaplaw.terminal.facts import Failure
from heaplaw.wording import Wording

if TYPE_CHECKING:
    from heaplaw.replay import Again

from . import envelope

MOST_OPERATIONS = 1_000
"""Of longer traces the first ones are told: the stored witness has them all."""
OUTCOMES = {
    Holds: "holds",
    Violated: "violated",
    Unknown: "unknown",
    NotApplicable: "not-applicable",
    Error: "error",
}
ENDS = {Died: "died", Hung: "hung", Exited: "exited"}


def check_document(judged: Sequence[tuple[Report, Sequence[Failure], int]], code: int) -> dict[str, Any]:
    """The document of a check: reports with what is broken and the exit code of each, and the exit code of all."""
    subjects = [{**_report(report, failures), "exit_code": each} for report, failures, each in judged]
    return envelope("check", {"subjects": subjects, "exit_code": code})


def replay_document(again: "Again", code: int) -> dict[str, Any]:
    """The document of a replay."""
    stored, shown = again.stored, again.witness
    violation = _violation(again.subject, Failure(shown, path=stored.path)) if shown is not None else None
    return envelope(
        "replay",
        {
            "id": stored.id,
            "path": str(stored.path),
            "law": _law(stored.law),
            "subject": {"identity": again.subject.identity, "shape": stored.trace.shape},
            "outcome": "violated" if again.broken else "holds",
            "replayed": {"failed": again.broken, "runs": again.times},
            "truncated": bool(stored.document["truncated"]),
            "stored": {"observed": stored.observed, "required": stored.required},
            "violation": violation,
            "exit_code": code,
        },
    )


def _law(name: str) -> dict[str, str]:
    found = law(name)
    return {"id": found.id, "name": found.name, "sentence": found.sentence, "source": found.source}


def _report(report: Report, failures: Sequence[Failure]) -> dict[str, Any]:
    subject = report.subject
    return {
        "subject": {
            "identity": subject.identity,
            "name": subject.name or subject.identity,
            "shape": subject.shape.name,
            "kind": str(subject.spec["kind"]),
            "driver": facts.driver_of(report),
            "offers": facts.found(report),
            "absent": facts.absent(report),
            "promises": facts.promises(report),
            "dialects": [name for dialect, name in NAMES.items() if dialect & int(subject.env.dialects)],
            "notes": list(subject.notes),
        },
        "seed": report.seed,
        "operations": report.operations,
        "short": report.short,
        "interrupted": report.interrupted,
        "laws": [_verdict(verdict, report) for verdict in sorted(report.verdicts, key=lambda v: law(v.law).id)],
        "violations": [_violation(subject, failure) for failure in failures],
        "unmet": [{"law": v.law, "id": law(v.law).id, "reason": reason} for v, reason in facts.unmet(report)],
        "ends": [{"profile": profile, **_end(end)} for profile, end in report.ends if not isinstance(end, Completed)],
        "last_words": report.last_words or None,
        "costs": cost_text.document(report.costs.costs, report.costs) if report.costs is not None else None,
        "summary": facts.tallied(report),
        "run": {"seconds": round(report.seconds, 3)},
    }


def _verdict(verdict: Verdict, report: Report) -> dict[str, Any]:
    """One law: what came of it, by what evidence, and why there is no verdict where there is none."""
    outcome, known = verdict.outcome, report.expected.get(verdict.law)
    broken = isinstance(outcome, Violated)
    return {
        **_law(verdict.law),
        "outcome": "expected" if broken and known else OUTCOMES[type(outcome)],
        "evidence": {"kind": type(verdict.evidence).__name__.lower(), **asdict(verdict.evidence)},
        "broken": outcome.total if isinstance(outcome, Violated) else 0,
        "why": outcome.why if isinstance(outcome, Unknown | NotApplicable | Error) else None,
        "reason": known.reason if known else None,
        "answers": report.clauses.answers.get(verdict.law, []),
        "clauses": [
            {
                "dialect": one.name,
                "in_force": one.dialect in forces(report, one.law),
                "text": one.text,
                "judged": one.said.judged,
                "forbidden": one.said.broken,
                "forbids": one.said.forbidden,
            }
            for one in spoken(report)
            if one.law.name == verdict.law
        ],
    }


def _end(end: End) -> dict[str, Any]:
    """How a run ended that did not come to its end."""
    assert not isinstance(end, Completed)
    return {"operation": end.op, "how": ENDS[type(end)], **({"signal": end.signal} if isinstance(end, Died) else {})}


def _violation(subject: ProcessSubject, failure: Failure) -> dict[str, Any]:
    """A cause: the laws that break, the trace with its results, the sizes that fail, and where it is stored."""
    witness = failure.witness
    history, violation = witness.history, witness.violation
    told = Telling(history, tuple(violation.operations), Wording.of(subject), witness.law)
    length, times = repetition(witness.trace)
    count = min(length, MOST_OPERATIONS)
    failed, runs = witness.replayed
    return {
        "law": _law(witness.law),
        "also": [{"id": law(name).id, "name": name} for name in failure.also],
        "observed": facts.observed_text(witness),
        "required": violation.required,
        "base": hex(told.base),
        "operations": [_operation(told, history, index) for index in range(count)],
        "times": times,
        "truncated": count < length,
        "broken_at": [int(index) for index in violation.operations],
        "sizes": [
            {
                "operation": found.op,
                "low": found.low,
                "high": found.high,
                "tried": found.tried,
                "failed": found.failed,
                "text": str(found),
            }
            for found in involved_ranges(witness.ranges, witness.trace)
        ],
        "replayed": {"failed": failed, "runs": runs},
        "shrunk_from": witness.shrunk_from if witness.runs else None,
        "complete": witness.complete,
        "said": failure.said or None,
        "stored": str(failure.path) if failure.path is not None else None,
    }


def _operation(told: Telling, history: History, index: int) -> dict[str, Any]:
    """One operation, as it was called, and what came of it."""
    op, e = history.trace.op(index), history.event(index)
    slot = "NULL" if op.slot == NULL else None if op.slot == NONE else op.slot
    ended = not isinstance(history.end, Completed) and history.end.op == index
    return {
        "op": op.kind.name.lower(),
        "call": told.call(index),
        "size": op.size,
        "align": op.align,
        "count": op.count,
        "block": slot,
        "instance": op.instance,
        "label": op.label,
        "result": {
            "status": "ended" if ended else Status(int(e.status)).name.lower(),
            "address": hex(int(e.ptr)) if e.makes and not ended else None,
            "error": 0 if ended else int(e.err),
            "text": ending(history) if ended else "; ".join(told.result(index)),
        },
    }
