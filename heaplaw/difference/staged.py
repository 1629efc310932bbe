"""Where two subjects answer the scenes of single clauses differently, though both answers may be allowed."""

from collections.abc import Iterator
from dataclasses import replace

from heaplaw.minimise import LIMITS
from heaplaw.models.scenes import scenes
from heaplaw.spec.history import Op, Trace
from heaplaw.subjects import ProcessSubject

from .answers import answers
from .behaving import Probing, Seen, alike, first_difference
from .parts import Behaviour
from .probes import SCENE, Probe

PARTS = ("resized to 0 bytes", "odd alignments", "odd sizes", "frees", "misuse")
"""Those that no probe asks more briefly."""


def of_scenes(probing: Probing) -> list[Behaviour]:
    """Every difference, those of one part with the same answers once."""
    found: list[Behaviour] = []
    for probe, trace in common_scenes(probing.old, probing.new):
        probing.progress(f"comparing {probe.title}")
        probing.run += 1
        each = difference(probing, probe, trace)
        if each is not None and not any(alike(known, each) for known in found):
            found.append(each)
    return found


def common_scenes(old: ProcessSubject, new: ProcessSubject) -> Iterator[tuple[Probe, Trace]]:
    """The scenes that both may be asked."""
    kinds, offers = old.kinds & new.kinds, old.offers & new.offers
    here, there = (list(scenes(subject.shape.name, kinds, subject.env, offers)) for subject in (old, new))
    asked: set[tuple[Op, ...]] = {tuple(trace.ops()) for trace in there}
    for trace in here:
        ((_, name),) = trace.parts
        if name in PARTS and tuple(trace.ops()) in asked:
            yield Probe(f"scene: {name}", name, SCENE, (), group=name), trace


def difference(probing: Probing, probe: Probe, trace: Trace) -> Behaviour | None:
    """The shortest part of a scene to which the two answer differently, seen again in fresh processes."""
    pair = both(probing, trace)
    at = first_difference(probe, *pair)
    if at is None:
        return None
    said = tuple(seen[2][at] for seen in pair)
    kept = list(range(at + 1))
    for index in range(at - 1, -1, -1):
        fewer = [one for one in kept if one != index]
        again = both(probing, trace.subset(fewer))
        last = len(fewer) - 1
        if first_difference(probe, *again) == last and tuple(seen[2][last] for seen in again) == said:
            kept = fewer
    shortest = trace.subset(kept)
    warm, fresh = both(probing, shortest), both(probing, shortest, fresh=True)
    if any(a[2] != b[2] for a, b in zip(warm, fresh, strict=True)):
        probing.unsteady.append(probe.title)
        return None
    a, b = fresh
    return Behaviour(probe, 0, (a[0], b[0]), (a[1], b[1]), (a[2], b[2]), len(kept) - 1)


def both(probing: Probing, trace: Trace, fresh: bool = False) -> tuple[Seen, Seen]:
    """What came of the trace on both."""

    def seen(subject: ProcessSubject) -> Seen:
        own = replace(trace, env=subject.env)
        history = subject.run_fresh(own, LIMITS) if fresh else subject.run(own, LIMITS)
        return own, history, answers(history, SCENE)

    return seen(probing.old), seen(probing.new)
