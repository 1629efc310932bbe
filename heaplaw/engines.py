"""The engines that look at the reference allocators themselves: proofs, contracts, exhaustive exploration. In words."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from heaplaw.spec.catalogue import CATALOGUE
from heaplaw.spec.verdict import Confirmed, Evidence, Holds, Outcome, Unknown, Verdict, Violated

WORDS: dict[type[object], str] = {Holds: "holds", Violated: "VIOLATED", Unknown: "unknown"}


@dataclass(frozen=True)
class Shown:
    """A part of an evidence, in words, where the rest stands above."""

    text: str

    def __str__(self) -> str:
        return self.text


def line(name: str, outcome: Outcome, evidence: Evidence | Shown) -> str:
    """One law, or one other obligation, decided."""
    stated = CATALOGUE.get(name)
    detail = str(evidence) if isinstance(outcome, Holds | Violated) else str(getattr(outcome, "why", ""))
    return f"  {stated.id if stated else '     '}  {name:<27} {WORDS.get(type(outcome), 'error'):<9} {detail}"


class Engine:
    """One run of an engine: lines as they come, and at last whether everything was shown."""

    def __init__(self) -> None:
        self.broken = self.undecided = 0

    def count(self, outcome: Outcome) -> None:
        """Take a decision in."""
        self.broken += isinstance(outcome, Violated)
        self.undecided += not isinstance(outcome, Holds | Violated)

    def prove(self) -> Iterator[str]:
        """z3 and CrossHair on the reference pool's own steps, and on the lemma that the fast judge stands on."""
        from heaplaw.proofs import contracts, lemmas, pool
        from heaplaw.proofs.prove import prove, verdicts

        sizes = ", ".join(str(size) for size in pool.BLOCK_SIZES)
        for title, obligations in (
            (f"reference pool, its own steps (z3), blocks of {sizes} bytes", pool.obligations()),
            ("the fast judge's lemma (z3)", lemmas.obligations()),
        ):
            started = time.monotonic()
            results = prove(obligations)
            yield f"{title}: {len(results)} obligations, {time.monotonic() - started:.1f} s"
            found = verdicts(results)
            told = ""
            for verdict in found:
                scope, _, share = str(verdict.evidence).rpartition("; ")
                if scope != told:
                    yield f"  {scope}:"
                    told = scope
                self.count(verdict.outcome)
                yield line(verdict.law, verdict.outcome, Shown(share))
                yield from (f"         {note}" for note in verdict.notes)
        yield "reference pool, contracts (CrossHair)"
        for contract in contracts.CONTRACTS:
            answer = contracts.confirm(contract)
            confirmed = isinstance(answer, Confirmed)
            self.broken += isinstance(answer, contracts.ContractRefuted)
            self.undecided += isinstance(answer, Unknown)
            yield f"         {contract.__name__:<27} {'holds' if confirmed else 'not confirmed':<9} {answer}"

    def explore(self, block_size: int, num_blocks: int) -> Iterator[str]:
        """Every state of a small reference pool."""
        from heaplaw.models.explore import explore_pool

        started = time.monotonic()
        found = explore_pool(block_size, num_blocks)
        yield (
            f"reference pool, {num_blocks} blocks of {block_size} bytes: {found.states:,} states, "
            f"{found.transitions:,} transitions, {time.monotonic() - started:.1f} s"
        )
        yield "reached: " + ", ".join(name for name, reached in found.goals.items() if reached)
        for verdict in found.verdicts:
            self.count(verdict.outcome)
            yield self.explored(verdict)
        if found.witness is not None:
            yield f"shortest witness: {[op.kind.name for op in found.witness.trace.ops()]}"

    def explored(self, verdict: Verdict) -> str:
        """One law over all transitions."""
        return line(verdict.law, verdict.outcome, verdict.evidence)
