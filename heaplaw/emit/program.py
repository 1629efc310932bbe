"""A stored witness as a C program: the allocator's own functions, called as they were when the law broke."""

import re
from textwrap import wrap

from heaplaw.errors import UsageError
from heaplaw.plan import COUNTERS, Plan
from heaplaw.spec.catalogue import law
from heaplaw.spec.event import Zero
from heaplaw.store import Stored

from . import runtime
from .deployed import Deployed, deployed
from .judged import sees
from .spelling import BAD, Spelling, literal
from .steps import statements

MOST_STATEMENTS = 2000
"""Longer traces make no readable program."""
COLUMNS = 107
EXIT = """
#ifdef __cplusplus
extern "C"
#endif
void _Exit(int);
"""
"""<stdlib.h> declares it, and the allocator's functions with other types than words."""
HEADERS = ("errno", "stddef", "stdint", "stdio", "string")


def c_program(stored: Stored) -> str:
    """The trace as a C program to link against the allocator, or to run with it preloaded. It ends with 1 when it sees
    a fault, with 3 when it cannot judge the law; a crash or a hang shows by itself. UsageError where there is no such
    program.
    """
    try:
        how = deployed(stored)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{stored.path}: the calls are described wrongly: {type(error).__name__} {error}") from error
    if len(stored.trace) > MOST_STATEMENTS:
        raise UsageError(f"{stored.path}: {len(stored.trace):,} steps are too many for a C program; use --emit pytest")
    return Program(stored, how).text()


class Program:
    """One program in the making."""

    def __init__(self, stored: Stored, how: Deployed) -> None:
        self.stored, self.how, self.plan = stored, how, how.plan
        self.spelling = Spelling(how.plan, how.wording.instance)

    def text(self) -> str:
        """The whole program."""
        plan, spelling = self.plan, self.spelling
        main = self.main()
        body = "".join(
            (
                runtime.STATE,
                runtime.BESIDE if plan.buffer else "",
                self.make() if makes_instances(plan) else "",
                self.after(),
                self.pieces(main),
                main,
            )
        )
        ends = "let_it_end();" in main
        headers = "".join(f"#include <{name}.h>\n" for name in sorted((*HEADERS, *(["signal"] if ends else []))))
        headers += EXIT if ends else ""
        return (
            f"{self.comment()}{headers}\n"
            "/* The allocator's functions: all that they take and give is one word each. */\n"
            f'#ifdef __cplusplus\nextern "C" {{\n#endif\n{spelling.declarations(body)}\n'
            "#ifdef __cplusplus\n}\n#endif\n\n"
            f"#define STEPS {len(self.stored.trace)}\n#define INSTANCES {plan.instances}\n{self.data(body)}{body}"
        )

    def comment(self) -> str:
        """What the program shows, and how it is built and run."""
        stored = self.stored
        rows = [f"{stored.id}: {stored.document['sentence']}", f"observed: {stored.observed}"]
        rows += [f"required: {stored.required}", ""]
        if not sees(stored):
            rows.append(
                "The program judges single steps, and this law compares several: compare the addresses and the numbers "
                "that it prints with what was observed and required. It ends with 3 where no single step shows a "
                "fault: that is no verdict."
            )
        rows.append("It ends with 1 when it sees a fault; a crash or a hang shows by itself.")
        lines = [line for row in rows for line in wrap(row, COLUMNS) or [""]]
        lines += ["", *(f"  {line}" for line in self.how.commands())]
        text = "\n".join(f" * {line}".rstrip() for line in lines)
        return f"/*{text.removeprefix(' *').replace('*/', '* /')}\n */\n"

    def data(self, body: str) -> str:
        """Instances, and the memory that they are given, as far as the rest of the program uses them."""
        plan, word = self.plan, self.spelling.word
        known = {f"{word}[INSTANCES]": rf"\b{word}\[", "base[INSTANCES]": r"\bbase\[", "handle": r"\bhandle\b"}
        used = [name for name, use in known.items() if re.search(use, body)]
        lines = [f"static uintptr_t {', '.join(used)};"] if used else []
        if plan.storage:
            room = -(-plan.storage // 4096) * 4096
            lines.append(f"#define STORAGE {plan.storage}")
            lines.append(f"static unsigned char storage[INSTANCES][{room}] __attribute__((aligned(4096)));")
        if plan.buffer:
            lines += [f"#define BUFFER {plan.buffer}", f"#define ALIGN {plan.buffer_align}", runtime.BUFFER.strip("\n")]
        return "".join(f"{line}\n" for line in lines)

    def make(self) -> str:
        """The function that makes an instance."""
        plan, word, words = self.plan, self.spelling.word, self.spelling.words("k")
        lines = ["which = k;"]
        if plan.storage:
            lines += ["memset(storage[k], 0, STORAGE);", f"{word}[k] = (uintptr_t)storage[k];"]
        made = bool(plan.storage)
        for call in plan.create:
            by_pointer = "&instance" in call.arguments
            lines += ["handle = 0;"] if by_pointer else []
            lines.append(f"value = {self.spelling.call(call, words)};")
            lines += [f"if ({BAD[call.returns]}) return 0;"] if call.returns in BAD else []
            if not made and (call.returns == "pointer" or by_pointer):
                lines += ["if (!handle) return 0;"] if by_pointer else []
                lines.append(f"{word}[k] = {'handle' if by_pointer else 'value'};")
                made = True
        based = plan.counters.get("base")
        where = "(uintptr_t)buffer[k]" if plan.buffer else "0"
        lines += [f"base[k] = {self.spelling.call(based, words) if based else where};"]
        lines += ['printf("instance %d:", k + 1);', *self.counted("k"), 'printf("\\n");', "return 1;"]
        return function("static int make(int k)", lines)

    def counted(self, instance: str) -> list[str]:
        """Lines that print what the counters say."""
        lines: list[str] = []
        for name, made in self.plan.counters.items():
            if name in ("usable_size", "base", "invariant") or name not in COUNTERS:
                continue
            call = self.spelling.call(made, self.spelling.words(instance))
            told = f'"  {name} %d", (int){call}' if made.returns == "int" else f'"  {name} %ju", (uintmax_t){call}'
            lines.append(f"printf({told});")
        return lines

    def after(self) -> str:
        """The function that looks at everything after a step."""
        lines = ["look_beside();"] if self.plan.buffer else []
        if counted := self.counted("which"):
            lines += [*counted, 'printf("\\n");']
        if sound := self.plan.counters.get("invariant"):
            lines.append(f"value = {self.spelling.call(sound, self.spelling.words('which'))};")
            lines.append(f'if ({BAD[sound.returns]}) fault("its own check finds a fault", 0, 0);')
        return "\n/* After a step. */\n" + function("static void after(void)", lines)

    def pieces(self, main: str) -> str:
        """The functions that the program needs, with what depends on the allocator filled in."""
        env, plan = self.stored.trace.env, self.plan
        size, capacity = literal(int(env.block_size)), literal(int(env.capacity))
        place = usable = ""
        if (plan.buffer or "base" in plan.counters) and env.capacity:
            needed = size if env.block_size else "bytes"
            place = runtime.PLACE.replace("@NEEDED@", needed).replace("@CAPACITY@", capacity)
        if "base" in plan.counters and env.block_size:
            place += runtime.GRID.replace("@SIZE@", size)
        if made := plan.counters.get("usable_size"):
            words = {**self.spelling.words("which"), "ptr": "given"}
            usable = runtime.USABLE.replace("@CALL@", self.spelling.call(made, words))
        filled = {
            "@PLACE@": place,
            "@USABLE@": usable,
            "@REFILL@": runtime.REFILL if plan.buffer else "",
            "@PROMISED@": literal(plan.align),
            "@END@": self.end(),
            "@ROOM@": "1" if env.align_by_size or env.zero_size == Zero.UNIQUE else "0",
        }
        text = "".join(runtime.PIECES[name] for name in runtime.needed(main))
        for name, part in filled.items():
            text = text.replace(name, part)
        return text

    def end(self) -> str:
        """What the program says where it saw no fault: that is no verdict on a law that it cannot judge."""
        if sees(self.stored):
            return runtime.NO_FAULT
        return runtime.NO_VERDICT.replace("@LAW@", f"{law(self.stored.law).id} {self.stored.law}")

    def main(self) -> str:
        """The program's own function."""
        plan, spelling = self.plan, self.spelling
        lines = ["static char line[4096];", "setvbuf(stdout, line, _IOLBF, sizeof line); /* else it would allocate */"]
        steps = "\n".join(statements(self.stored, spelling, self.how.wording))
        writes = any("written(" in runtime.PIECES[name] for name in runtime.needed(steps))
        lines += ["make_pattern();"] if writes else []
        lines += [f"things[0].aligned = {literal(plan.align)};"]
        if plan.buffer:
            lines.append("for (now = 0; now < INSTANCES; now++) place(now);")
        for made in plan.init:
            lines.append(f"value = {spelling.call(made, spelling.words('0'))};")
            if made.returns in BAD:
                lines.append(f'if ({BAD[made.returns]}) {{ printf("it could not be begun\\n"); return 2; }}')
        if makes_instances(plan):
            lines.append("for (now = 0; now < INSTANCES; now++)")
            lines.append('  if (!make(now)) { printf("instance %d could not be made\\n", now + 1); return 2; }')
        begin = "".join(f"  {line}\n" for line in lines)
        return f"\nint main(void) {{\n{begin}\n{steps}\n  return told();\n}}\n"


def makes_instances(plan: Plan) -> bool:
    """There is something to be made before the first step."""
    return bool(plan.create or plan.storage or plan.buffer or "base" in plan.counters)


def function(head: str, lines: list[str]) -> str:
    """A function in C."""
    return f"{head} {{\n" + "".join(f"  {line}\n" for line in lines) + "}\n"
