"""Subsystems, and the allocator that each has. Source: the allocator system, Subsystem Allocation Strategy."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from .arena import Arena
from .base import Booked
from .errors import MisuseError
from .freelist import Freelist
from .interface import Allocator
from .large import Mapped
from .limits import Limited
from .malloc import Platform
from .pools import SizePools


class Subsystem(Enum):
    """The parts of a virtual machine."""

    VM = "VM Core"
    OBJECTS = "Objects"
    STRINGS = "Strings"
    BYTECODE = "Bytecode"
    COMPILER = "Compiler"
    AST = "AST"
    PARSER = "Parser"
    SYMBOLS = "Symbols"
    MODULES = "Modules"
    STDLIB = "Stdlib"
    TEMP = "Temp"


class Strategy(Enum):
    """Kinds of allocators."""

    PLATFORM = "platform"
    ARENA = "arena"
    FREELIST = "freelist"
    """One block size; all else is refused."""
    POOLS = "pools"
    """Freelists by size class for small blocks, the platform for others: the source's "Platform/Freelist"."""


def check_subsystem(doing: str, subsystem: object) -> None:
    """Refuse what is no subsystem; a name alone is none."""
    if not isinstance(subsystem, Subsystem):
        names = ", ".join(known.name for known in Subsystem)
        raise MisuseError(f"{doing}: {subsystem!r}", f"a subsystem is one of Subsystem: {names}")


@dataclass(frozen=True)
class Plan:
    """The allocator of one subsystem. Sizes in bytes."""

    strategy: Strategy = Strategy.PLATFORM
    chunk_size: int = 4096
    """What an arena or pools grow by."""
    block_size: int = 64
    """A freelist's."""
    limit: int | None = None
    """The most that may be live; None: no limit."""
    map_from: int | None = None
    """Blocks from this size on are mappings of their own; None: none is."""
    make: Callable[[str], Booked] | None = None
    """Makes another allocator, of the given name, in place of the strategy's."""
    around: Callable[[Allocator], Booked] | None = None
    """Put around the allocator, whichever it is: callbacks, a collector."""


PLANS: dict[Subsystem, Plan] = {
    Subsystem.VM: Plan(Strategy.PLATFORM),
    Subsystem.OBJECTS: Plan(Strategy.POOLS),
    Subsystem.STRINGS: Plan(Strategy.ARENA),
    Subsystem.BYTECODE: Plan(Strategy.ARENA),
    Subsystem.COMPILER: Plan(Strategy.ARENA),
    Subsystem.AST: Plan(Strategy.ARENA),
    Subsystem.PARSER: Plan(Strategy.ARENA),
    Subsystem.SYMBOLS: Plan(Strategy.ARENA),
    Subsystem.MODULES: Plan(Strategy.PLATFORM),
    Subsystem.STDLIB: Plan(Strategy.PLATFORM),
    Subsystem.TEMP: Plan(Strategy.ARENA),
}
"""The source's table."""


def check_plan(subsystem: Subsystem, plan: object) -> None:
    """Refuse what is no plan."""
    if not isinstance(plan, Plan):
        raise MisuseError(f"Registry: {subsystem} has {plan!r}", "it takes a Plan: Plan(Strategy.ARENA)")


def checked(plans: Mapping[Subsystem, Plan]) -> Mapping[Subsystem, Plan]:
    """The plans, all of them for subsystems."""
    for subsystem, plan in plans.items():
        check_subsystem("Registry", subsystem)
        check_plan(subsystem, plan)
    return plans


def planned(plan: Plan, name: str) -> Booked:
    """The allocator that a plan describes."""
    made = plan.make(name) if plan.make is not None else _of_strategy(plan, name)
    if plan.map_from is not None:
        made = Mapped(made, plan.map_from, name)
    if plan.limit is not None:
        made = Limited(made, plan.limit, name)
    return made if plan.around is None else plan.around(made)


def _of_strategy(plan: Plan, name: str) -> Booked:
    if plan.strategy is Strategy.PLATFORM:
        return Platform(name)
    if plan.strategy is Strategy.ARENA:
        return Arena(plan.chunk_size, name=name)
    if plan.strategy is Strategy.FREELIST:
        return Freelist(plan.block_size, max(1, plan.chunk_size // max(1, plan.block_size)), name=name)
    if plan.strategy is Strategy.POOLS:
        return SizePools(chunk_size=plan.chunk_size, name=name)
    raise MisuseError(f"Plan({plan.strategy!r})", "no such strategy")


def plain(plan: Plan) -> Plan:
    """The plan when custom allocators are off: malloc, within the limit and wrapper that are the program's own."""
    return Plan(Strategy.PLATFORM, limit=plan.limit, around=plan.around)
