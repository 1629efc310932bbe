"""Run a stored witness again."""

from heaplaw.spec.catalogue import law
from heaplaw.spec.judge import judge
from heaplaw.spec.verdict import Violated

from .judges import judge_fast
from .minimise import LIMITS, NAIVE_UP_TO, Witness
from .report import failure
from .store import Stored
from .subjects.resolve import from_spec


def run_again(stored: Stored, times: int) -> tuple[list[str], int]:
    """What the trace does now, in words, and how many of `times` runs broke the law."""
    subject = from_spec(stored.subject)
    broken, seen = 0, None
    decide = judge if len(stored.trace) <= NAIVE_UP_TO else judge_fast
    try:
        for _ in range(times):
            fresh = stored.law == "first_operation"
            history = subject.run_fresh(stored.trace, LIMITS) if fresh else subject.run(stored.trace, LIMITS)
            outcome = decide(history, [law(stored.law)])[0].outcome
            if isinstance(outcome, Violated):
                broken += 1
                seen = seen or Witness(
                    stored.law,
                    stored.trace,
                    outcome.violations[0],
                    history,
                    stored.document["shrunk_from"],
                    runs=1,
                )
        lines = [f"{stored.id}   {subject.identity}", ""]
        if stored.document["truncated"]:
            lines += ["the trace was too long to be stored whole: what follows is its beginning", ""]
        if seen is None:
            holds = f"{stored.law} holds now: 0 of {times} runs broke it"
            return [*lines, holds, f"    stored    {stored.observed}", f"    required  {stored.required}"], 0
        shown = Witness(
            seen.law,
            seen.trace,
            seen.violation,
            seen.history,
            seen.shrunk_from,
            replayed=(broken, times),
            runs=1,
        )
        return [*lines, *failure(subject, shown, stored.path)], broken
    finally:
        subject.close()
