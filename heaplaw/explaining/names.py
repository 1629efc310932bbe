"""What can be asked for, and what was meant."""

import difflib

from heaplaw.errors import UsageError
from heaplaw.spec.catalogue import CATALOGUE, law
from heaplaw.spec.law import AnyLaw

from .topics import TOPICS, Topic


def find(word: str) -> AnyLaw | Topic:
    """The law of that id or name, or the topic; UsageError, with what is like it, when there is none."""
    try:
        return law(word)
    except KeyError:
        pass
    plain = word.lower().replace("_", "-")
    if plain in TOPICS:
        return TOPICS[plain]
    known = {name.lower(): name for item in CATALOGUE.values() for name in (item.name, item.id)}
    known |= {name: name for name in TOPICS}
    # Names are written with underscores, topics with hyphens: either may be meant.
    tried = (word.lower(), plain, plain.replace("-", "_"))
    close = [known[name] for text in tried for name in difflib.get_close_matches(text, known, 3, 0.5)]
    meant = f"; did you mean {', '.join(list(dict.fromkeys(close))[:3])}?" if close else ""
    raise UsageError(
        f"{word}: no such law or topic{meant} (`heaplaw laws` lists the laws; topics: {', '.join(TOPICS)})"
    )
