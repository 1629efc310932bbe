"""How numbers and addresses are written in what people read."""

from collections.abc import Iterable

from heaplaw.spec.event import Block, Env, Flag

NEAR = 2**20
"""An address this far from a buffer is still told relative to it, bytes."""
FAULTS = {
    Flag.DAMAGED: "is not what was written",
    Flag.PREFIX_LOST: "was not kept",
    Flag.NOT_ZERO: "is not zero",
    Flag.FAILED_CHANGED: "changed, though it failed",
    Flag.UNWRITABLE: "cannot be written",
    Flag.OUTSIDE: "beside the buffer changed",
}
"""What a driver found of a byte of a payload."""


def wrong(flag: Flag, at: int) -> str:
    """What a driver found wrong in an operation; `at` is the first wrong offset, bytes, or what was written."""
    if flag == Flag.OUT_WRITTEN:
        return "wrote to the out-pointer" if at else "made the out-pointer NULL"
    return f"byte {power(at)} {FAULTS[flag]}"


def power(size: int) -> str:
    """A size in bytes, near a high power of two as 2**k ± d."""
    for k in range(31, 65):
        distance = size - 2**k
        if abs(distance) <= 4096:
            return f"2**{k}" + (f"{distance:+d}" if distance else "")
    return str(size)


def base_among(env: Env, found: Iterable[int]) -> int:
    """The address that others are told relative to: where the declared memory begins, if one of the addresses `found`
    is near it or there are none, else the lowest of them, rounded down to 16 bytes.
    """
    own, start = list(found), int(env.base)
    if start and (not own or any(start - NEAR <= at < start + int(env.capacity) + NEAR for at in own)):
        return start
    return min(own) // 16 * 16 if own else 0


def shared_bytes(a: Block, b: Block, usable: bool = False) -> int:
    """Bytes that both blocks have, or with `usable` what the subject calls so."""
    a_size, b_size = (int(max(x.usable, x.extent) if usable else x.extent) for x in (a, b))
    return max(0, int(min(a.ptr + a_size, b.ptr + b_size) - max(a.ptr, b.ptr)))


def in_common(a: Block, b: Block, name: str) -> str:
    """What a block has in common with `a`, which is called `name`; empty where that is nothing."""
    for word, usable in (("byte", False), ("usable byte", True)):
        if count := shared_bytes(a, b, usable):
            return f"shares {count} {word}{'s' * (count != 1)} with {name}"
    return ""


def offset(address: int, base: int) -> str:
    """An address relative to the base, where it is not too far from it."""
    distance = address - base
    if 0 <= distance < 2**40:
        return f"+{distance:#x}"
    return f"-{-distance:#x}" if -NEAR < distance < 0 else f"{address:#x}"
