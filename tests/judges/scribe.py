"""Writes a history down, operation by operation, as a driver would: owners, held sizes, what is there and what not."""

from dataclasses import dataclass, field

from heaplaw.spec.event import Env, Flag, Status
from heaplaw.spec.history import History, Op, make_history, make_trace, plain_env
from heaplaw.spec.layout import PTRDIFF_MAX
from heaplaw.spec.shapes import Kind


@dataclass(frozen=True)
class Held:
    """A block or a mark that is there."""

    row: int
    """The operation that made it."""
    ptr: int
    size: int
    """Bytes asked for."""
    instance: int
    mark: bool = False


def usable_extent(size: int, row: dict[str, int]) -> int:
    """Bytes that a driver writes into a new block, and reads back later."""
    return 0 if size > PTRDIFF_MAX or row.get("flags", 0) == Flag.UNWRITABLE else size


@dataclass
class Scribe:
    """One history under way. Operations answer with their row; `row` names further columns of it."""

    shape: str
    envs: tuple[Env, ...] = ()
    """What each instance told; what the shape promises where it is left out."""
    profile: str = "mixed"
    ops: list[Op] = field(default_factory=list[Op])
    rows: list[dict[str, int]] = field(default_factory=list[dict[str, int]])
    held: dict[int, Held] = field(default_factory=dict[int, Held])
    """By the operation that made it, in order of birth."""
    names: dict[int, int] = field(default_factory=dict[int, int])
    """Resizes that did not come off: their slots hold the old block."""

    def add(self, op: Op, status: int, named: Held | None = None, **row: int) -> int:
        """Any operation, with what came of it."""
        about = {} if named is None else {"owner": named.row, "held": named.size}
        self.ops.append(op)
        self.rows.append({"status": status, **about, **row})
        return len(self.ops) - 1

    def there(self, instance: int) -> list[Held]:
        """Blocks of an instance, in order of birth."""
        return [each for each in self.held.values() if each.instance == instance and not each.mark]

    def marks(self, instance: int) -> list[Held]:
        """Its marks, likewise."""
        return [each for each in self.held.values() if each.instance == instance and each.mark]

    # ---- blocks

    def ask(
        self,
        ptr: int,
        size: int,
        kind: Kind = Kind.ALLOC,
        instance: int = 0,
        align: int = 0,
        count: int = 1,
        **row: int,
    ) -> int:
        """A request; `ptr` 0: refused, if `status` does not say otherwise."""
        status = row.pop("status", Status.OK if ptr else Status.FAILED)
        at = {"ptr": ptr} if status == Status.OK else {}
        index = self.add(Op(kind, size, align=align, count=count, instance=instance), status, None, **at, **row)
        if status == Status.OK:
            self.held[index] = Held(index, ptr, usable_extent(size * count, row), instance)
        return index

    def free(self, row: int, status: int = Status.OK, **more: int) -> int:
        """The block that operation `row` made is given back."""
        block = self.held[row]
        if status == Status.OK:
            del self.held[row]
        return self.add(Op(Kind.FREE, slot=row, instance=block.instance), status, block, **more)

    def check(self, row: int, status: int = Status.OK, **more: int) -> int:
        """The block is read back."""
        block = self.held[row]
        return self.add(Op(Kind.CHECK, slot=row, instance=block.instance), status, block, **more)

    def resize(self, row: int, ptr: int, size: int, status: int | None = None, **more: int) -> int:
        """The block that operation `row` made becomes one of `size` bytes; `ptr` 0: refused."""
        block = self.held[row]
        status = (Status.OK if ptr else Status.FAILED) if status is None else status
        at = {"ptr": ptr} if status == Status.OK else {}
        slot = next((late for late, made in self.names.items() if made == row), row)
        index = self.add(Op(Kind.RESIZE, size, slot, instance=block.instance), status, block, **at, **more)
        if status == Status.OK:
            del self.held[row]
            self.held[index] = Held(index, ptr, usable_extent(size, more), block.instance)
        else:
            self.names[index] = row
        return index

    def skip(self, kind: Kind, instance: int = 0) -> int:
        """An operation that was not called."""
        return self.add(Op(kind, instance=instance), Status.SKIPPED)

    # ---- regions

    def pop(self, instance: int = 0, status: int = Status.OK, **row: int) -> int:
        """The newest block is given back, if there is one."""
        newest = self.there(instance)[-1:]
        if newest and status == Status.OK:
            del self.held[newest[0].row]
        return self.add(Op(Kind.POP, instance=instance), status, newest[0] if newest else None, **row)

    def mark(self, instance: int = 0, status: int = Status.OK, **row: int) -> int:
        """A mark is taken; the instance's word for it is `ptr`."""
        index = self.add(Op(Kind.MARK, instance=instance), status, None, **row)
        if status == Status.OK:
            self.held[index] = Held(index, row.get("ptr", 0), 0, instance, mark=True)
        return index

    def release(self, mark: int, status: int = Status.OK, **row: int) -> int:
        """Everything made since `mark` is given back, and that mark."""
        instance = self.held[mark].instance
        self._end(instance, mark, status)
        return self.add(Op(Kind.RELEASE, slot=mark, instance=instance), status, None, **{"owner": mark, **row})

    def reset(self, instance: int = 0, status: int = Status.OK, **row: int) -> int:
        """Everything is given back."""
        self._end(instance, 0, status)
        return self.add(Op(Kind.RESET, instance=instance), status, None, **row)

    def renew(self, instance: int = 0, status: int = Status.OK, **row: int) -> int:
        """The instance is destroyed, and made again."""
        self._end(instance, 0, status)
        return self.add(Op(Kind.RENEW, instance=instance), status, None, **row)

    def _end(self, instance: int, since: int, status: int) -> None:
        for each in list(self.held.values()):
            if each.instance == instance and each.row >= since and status == Status.OK:
                del self.held[each.row]

    def history(self) -> History:
        """What was written so far."""
        trace = make_trace(self.shape, self.ops, plain_env(self.shape), self.profile)
        envs = self.envs or (trace.env,)
        made = make_history(trace, self.rows, env=envs[0])
        return History(made.trace, made.columns, env=envs[0], others=envs[1:])
