"""A comparison as a JSON document: the facts of the text, for programs."""

from typing import Any

from heaplaw.schemas import envelope
from heaplaw.spec.catalogue import law
from heaplaw.spec.verdict import Error, NotApplicable, Unknown, Verdict, Violated
from heaplaw.subjects import Expected, ProcessSubject
from heaplaw.terminal import facts

from .columns import Row, behaviour_rows, witness_rows
from .parts import Behaviour, Difference, LawChange

OUTCOMES = {"VIOLATED": "violated", "not applicable": "not-applicable"}


def document(found: Difference, code: int) -> dict[str, Any]:
    """The document, which ends with the command's exit code."""
    pages = found.footprint
    return envelope(
        "diff",
        {
            "old": _subject(found.old),
            "new": _subject(found.new),
            "seed": found.seed,
            "operations": found.operations,
            "same_traces": found.same_traces,
            "apart": [{"what": each.what, "old": each.old, "new": each.new} for each in found.apart],
            "laws": [_law(change, found) for change in found.laws],
            "as_before": [
                {**_named(verdict.law), "outcome": _outcome(verdict, None)}
                for verdict in sorted(found.verdicts[0], key=lambda v: law(v.law).id)
                if verdict.law not in {change.law for change in found.laws}
            ],
            "behaviours": [_behaviour(each, found) for each in found.behaviours],
            "footprint": None
            if pages is None
            else {"operations": pages.operations, "old": pages.old, "new": pages.new, "peak": pages.peak},
            "probes": found.probes,
            "unsteady": list(found.unsteady),
            "run": {"seconds": round(found.seconds, 3)},
            "exit_code": code,
        },
    )


def _subject(subject: ProcessSubject) -> dict[str, str]:
    return {
        "identity": subject.identity,
        "name": subject.name or subject.identity,
        "shape": subject.shape.name,
        "kind": str(subject.spec["kind"]),
    }


def _named(name: str) -> dict[str, str]:
    return {"id": law(name).id, "name": name}


def _outcome(verdict: Verdict, known: Expected | None) -> str:
    if known and isinstance(verdict.outcome, Violated):
        return "expected"
    word = facts.WORDS[type(verdict.outcome)]
    return OUTCOMES.get(word, word)


def _law(change: LawChange, found: Difference) -> dict[str, Any]:
    """One law whose verdict is another; with steps where one of the two breaks it."""
    stated, witness, other = law(change.law), change.witness, change.other
    sides: list[dict[str, Any]] = []
    for verdict, known in zip((change.old, change.new), change.known, strict=True):
        undecided = verdict.outcome if isinstance(verdict.outcome, Unknown | NotApplicable | Error) else None
        sides.append(
            {
                "outcome": _outcome(verdict, known),
                "why": undecided.why if undecided else None,
                "reason": known.reason if known else None,
            }
        )
    return {
        **_named(change.law),
        "sentence": stated.sentence,
        "source": stated.source,
        "grade": change.grade.value,
        "old": sides[0],
        "new": sides[1],
        "witness": None
        if witness is None
        else {
            "side": change.side,
            "observed": facts.observed_text(witness),
            "required": witness.violation.required,
            "steps": [_step(row) for row in witness_rows(change, found.old, found.new)],
            "replayed": {"failed": witness.replayed[0], "runs": witness.replayed[1]},
            "other": {"failed": other.failed, "runs": other.runs, "why": other.why or None},
            "complete": witness.complete,
            "stored": str(change.path) if change.path is not None else None,
        },
    }


def _behaviour(each: Behaviour, found: Difference) -> dict[str, Any]:
    """One behaviour that is another."""
    before, after = (list(side[each.at]) for side in each.answers)
    return {
        "probe": each.probe.name,
        "title": each.probe.title,
        "old": before,
        "new": after,
        "size": each.size if each.probe.sizes and found.old.shape.sized else None,
        "since": each.since or None,
        "also": list(each.also),
        "steps": [_step(row) for row in behaviour_rows(each, found.old, found.new)],
    }


def _step(row: Row) -> dict[str, Any]:
    if row.omitted:
        return {"omitted": row.omitted}
    old, new = row.results
    return {"step": row.number - 1, "call": row.call, "old": old, "new": new, "differs": row.marked}
