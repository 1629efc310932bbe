"""What can be asked for, and what was meant."""

import difflib
from collections.abc import Mapping

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
    said = meant(word, {**known_laws(), **{name: name for name in TOPICS}})
    raise UsageError(f"{word}: no such law or topic{said} (`heaplaw laws` lists the laws; topics: {', '.join(TOPICS)})")


def known_laws() -> dict[str, str]:
    """Ids and names of laws, by what they are in small letters."""
    return {name.lower(): name for item in CATALOGUE.values() for name in (item.name, item.id)}


def meant(word: str, known: Mapping[str, str]) -> str:
    """What of `known` is like a word that is none of it, to be added to an error; empty where nothing is."""
    # Names are written with underscores, topics with hyphens: either may be meant.
    plain = word.lower().replace("_", "-")
    tried = (word.lower(), plain, plain.replace("-", "_"))
    close = [known[name] for text in tried for name in difflib.get_close_matches(text, known, 3, 0.5)]
    return f"; did you mean {', '.join(list(dict.fromkeys(close))[:3])}?" if close else ""
