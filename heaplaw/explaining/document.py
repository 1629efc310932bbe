"""What is explained, as JSON."""

from collections.abc import Sequence
from typing import Any

from heaplaw.schemas import envelope
from heaplaw.spec.law import AnyLaw
from heaplaw.terminal.marked import lines_of

from .clauses import Stated, stated
from .entries import ENTRIES
from .entry import Example, in_mapping
from .faults import seeded
from .judged import Judged, pair
from .needs import NEEDS
from .scene import scene, setting_of
from .text import judges
from .topics import Topic


def document(asked: Sequence[AnyLaw | Topic]) -> dict[str, Any]:
    """Laws and topics, in the order in which they were asked for."""
    laws = [_law(item) for item in asked if not isinstance(item, Topic)]
    topics = [_topic(item) for item in asked if isinstance(item, Topic)]
    return envelope("explain", {"laws": laws, "topics": topics})


def _law(found: AnyLaw) -> dict[str, Any]:
    entry, (kept, broken), fault, said_of = ENTRIES[found.name], pair(found.name), seeded(found), stated(found)
    return {
        "id": found.id,
        "name": found.name,
        "sentence": found.sentence,
        "words": entry.words,
        "source": found.source,
        "dialects": {said.dialect: said.text for said in said_of},
        "clauses": [_clause(said) for said in said_of if found.clauses],
        "shapes": sorted(found.shapes),
        "scope": found.scope.value,
        "judges": judges(found),
        "needs": [{"name": name, "offered_by": NEEDS[name]} for name in sorted(found.needs)],
        "kept": _example(found, entry.kept, kept),
        "broken": _example(found, entry.broken, broken),
        "legitimate": entry.legitimate,
        "settings": ["\n".join(in_mapping(text)) for text in entry.settings],
        "seeded": None if fault is None else {"mutant": fault.name, "summary": fault.summary},
    }


def _clause(said: Stated) -> dict[str, Any]:
    told = {"dialect": said.dialect, "text": said.text, "leaves_open": said.open}
    return {**told, "allows": list(said.allows), "forbids": list(said.forbids)}


def _example(found: AnyLaw, example: Example, judged: Judged) -> dict[str, Any]:
    text = lines_of(scene(found, example, judged))
    told = {"subject": setting_of(example), "judged": judged.judged, "text": text}
    if judged.violation is None:
        return told
    return {**told, "observed": judged.violation.observed, "required": judged.violation.required}


def _topic(topic: Topic) -> dict[str, Any]:
    return {
        "title": topic.title,
        "words": [topic.first, topic.last] if topic.last else [topic.first],
        "rows": [{"word": word, "meaning": meaning} for word, meaning in topic.rows],
    }
