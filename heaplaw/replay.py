"""Run a stored witness again."""

from dataclasses import dataclass, replace
from textwrap import wrap

from heaplaw.spec.catalogue import law
from heaplaw.spec.verdict import Violated

from .minimise import LIMITS, Witness, decided
from .store import Stored
from .subjects import ProcessSubject
from .subjects.resolve import from_spec
from .terminal import verdicts
from .terminal.marked import Marked, Role, lines_of, mark
from .terminal.page import PLAIN, Page


@dataclass(frozen=True)
class Again:
    """What a stored trace does now."""

    stored: Stored
    subject: ProcessSubject
    """Its process has ended."""
    broken: int
    """Runs that broke the law."""
    times: int
    witness: Witness | None
    """What was seen in the first of them."""

    def lines(self, page: Page = PLAIN) -> list[Marked]:
        """In words."""
        stored, blank = self.stored, Marked("")
        lines = [*verdicts.packed([stored.id, self.subject.identity], page), blank]
        if stored.document["truncated"]:
            told = "the trace was too long to be stored whole: what follows is its beginning"
            lines += [*(Marked(text) for text in wrap(told, page.columns)), blank]
        if self.witness is not None:
            return [*lines, *verdicts.failure(self.subject, self.witness, stored.path, page=page)]
        lines += [mark(f"{stored.law} holds now: 0 of {self.times} runs broke it", Role.HELD)]
        for name, text in (("stored", stored.observed), ("required", stored.required)):
            lines += verdicts.labelled(name, text, page)
        return lines


IN_FORCE = ("dialects", "zero_resize", "double_free", "interior_free", "unaligned_free", "foreign_free")
"""What decides which answer of a single call is a fault: a witness keeps it, whatever its mapping says now."""


def run_stored(stored: Stored, times: int, subject: ProcessSubject | None = None) -> Again:
    """Run the trace so many times, on `subject` or on what it was found on."""
    if subject is None and stored.subject.get("kind") == "here":
        from .conformance.again import replayed  # only its test can make the subject

        return replayed(stored, times)
    subject = subject or from_spec(stored.subject)
    asked = law(stored.law)
    if asked.scenes:  # what was a fault under the dialects and promises that were in force then
        env = stored.trace.env
        said = {name: getattr(env, name) for name in IN_FORCE}
        subject = replace(subject, env=replace(subject.env, **said))
    broken, seen = 0, None
    fresh = stored.law == "first_operation"
    try:
        for _ in range(times):
            history = subject.run_fresh(stored.trace, LIMITS) if fresh else subject.run(stored.trace, LIMITS)
            outcome = decided(history, asked).outcome
            if isinstance(outcome, Violated):
                broken += 1
                first = outcome.violations[0]
                seen = seen or Witness(stored.law, stored.trace, first, history, stored.document["shrunk_from"], runs=1)
    finally:
        subject.close()
    return Again(stored, subject, broken, times, seen and replace(seen, replayed=(broken, times)))


def run_again(stored: Stored, times: int) -> tuple[list[str], int]:
    """What the trace does now, in words, and how many of `times` runs broke the law."""
    again = run_stored(stored, times)
    return lines_of(again.lines()), again.broken
