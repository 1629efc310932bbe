"""The allocator system: allocators behind one interface, a registry of them for a virtual machine's subsystems, tags,
statistics, leak reports, scopes. Imports the other modules of `refimpl` and `spec`. Source: the allocator system.

    interface   what an allocator may be asked
    malloc, arena, freelist, tracing            Platform, Arena, Freelist, Trace
    pools, limits, large, callbacks             SizePools, Limited, Mapped, Observed
    collecting, perthread                       GcAllocator, ThreadLocal
    plans, registry, switches, scopes, helpers  subsystems, and what programs write
    base, wrapper, ledger, records, words, report, errors   what these are made of
"""

from .arena import Arena
from .callbacks import Happening, Notice, Observed
from .collecting import GcAllocator
from .errors import MisuseError
from .freelist import Freelist
from .helpers import delete, new, new_array, new_array_zeroed, new_zeroed, strdup, text_at
from .interface import Allocator, Leak, Statistics, TagStatistics
from .large import Mapped
from .limits import Limited
from .malloc import Platform
from .perthread import ThreadLocal
from .plans import PLANS, Plan, Strategy, Subsystem
from .pools import SizePools
from .registry import Registry, allocators_get, allocators_here, allocators_init, allocators_shutdown
from .report import LeakReport
from .scopes import arena_scope, current
from .switches import Switches
from .tracing import Trace

__all__ = [
    "PLANS",
    "Allocator",
    "Arena",
    "Freelist",
    "GcAllocator",
    "Happening",
    "Leak",
    "LeakReport",
    "Limited",
    "Mapped",
    "MisuseError",
    "Notice",
    "Observed",
    "Plan",
    "Platform",
    "Registry",
    "SizePools",
    "Statistics",
    "Strategy",
    "Subsystem",
    "Switches",
    "TagStatistics",
    "ThreadLocal",
    "Trace",
    "allocators_get",
    "allocators_here",
    "allocators_init",
    "allocators_shutdown",
    "arena_scope",
    "current",
    "delete",
    "new",
    "new_array",
    "new_array_zeroed",
    "new_zeroed",
    "strdup",
    "text_at",
]
