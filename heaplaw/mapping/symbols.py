"""Whether a library exports what a mapping calls."""

from typing import Protocol

from .model import Mapping
from .problems import Problems, listing, nearest, tick


class Exported(Protocol):
    """What is known of a library's functions, by name."""

    @property
    def path(self) -> str: ...
    @property
    def functions(self) -> frozenset[str]:
        """Those that are exported."""
        ...

    @property
    def hidden(self) -> frozenset[str]:
        """Those that are there and not exported."""
        ...


def check_symbols(mapping: Mapping, exports: Exported) -> None:
    """MappingError when the mapping calls functions that are not exported: each is told once, where it is met first.

    Of a Python subject nothing is said: it has no symbols.
    """
    problems = Problems(mapping.path, mapping.text)
    told: set[str] = set()
    for call in sorted(mapping.calls, key=lambda call: call.position):
        name = call.function
        if mapping.kind != "python" and name not in exports.functions and name not in told:
            told.add(name)
            problems.add(f"{tick(name)} is not exported by {exports.path}", call.position, *_hints(exports, name))
    problems.check()


def _hints(exports: Exported, name: str) -> list[str]:
    """Why a function may not be exported, or what may have been meant."""
    if name in exports.hidden:
        return ["it is in there, but static or hidden: declare it extern, with default visibility, and build again"]
    # As C++ compilers name a function outside of any namespace: its length, its name, its parameters.
    mangled = [symbol for symbol in sorted(exports.functions) if symbol.startswith(f"_Z{len(name)}{name}")]
    if mangled:
        return [f'{tick(mangled[0])} is its C++ name: declare the function extern "C", and build again']
    similar = nearest(name, sorted(exports.functions), 4)
    return [f"similar exports: {listing(similar, 'and')}" if similar else "it exports no similar function"]
