"""Documents that can be run: files that they show are written, changes are made, commands are run, outputs compared.

In a document's Markdown

- a fenced block behind `<!-- file: NAME -->` is a file, written as it stands;
- a ```diff block behind `<!-- patch: NAME -->` changes that file: lines of both, or of one of the two;
- a ```console block is run: lines that begin with `$ ` are commands, what follows is what they print. A line that is
  `…` alone stands for any lines. A command must end with exit code 0, unless the next one is `echo $?`.

All else is prose. Blocks of other languages are not run.
"""

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

COMMENT = re.compile(r"<!-- (file|patch): (\S+) -->\s*")
ANY = "…"
"""A line that stands for any lines."""
LONGEST = 300
"""Seconds after which a command counts as hanging."""


@dataclass(frozen=True)
class Write:
    """A file that the reader makes."""

    name: str
    text: str


@dataclass(frozen=True)
class Patch:
    """A change that the reader makes."""

    name: str
    diff: str


@dataclass(frozen=True)
class Command:
    """A command that the reader types, and what it says then."""

    line: str
    said: str
    code_follows: bool
    """The next command is `echo $?`: this one may fail."""


Step = Write | Patch | Command


class DiffersError(AssertionError):
    """A command says something else than what is shown. Both as they stand, or would stand, in the document."""

    def __init__(self, line: str, shown: str, said: str) -> None:
        self.shown, self.said = f"$ {line}\n{shown}", f"$ {line}\n{said}"
        super().__init__(f"{self.shown}--- now\n{said}")


def steps(text: str) -> Iterator[Step]:
    """What a document asks its reader to do, in order. ValueError where a comment has no block."""
    awaited: tuple[str, str] | None = None
    for token in MarkdownIt("commonmark").parse(text):
        if awaited and token.type != "fence":
            raise ValueError(f"no block follows {awaited}")
        if token.type == "html_block" and token.content.startswith("<!-- "):
            found = COMMENT.fullmatch(token.content)
            awaited = (found[1], found[2]) if found else None
        elif token.type == "fence":
            kind, name = awaited or ("", "")
            awaited = None
            if kind:
                yield Write(name, token.content) if kind == "file" else Patch(name, token.content)
            elif token.info == "console":
                yield from commands(token.content)


def commands(block: str) -> Iterator[Command]:
    """The commands of a console block."""
    before, *parts = re.split(r"^\$ ", block, flags=re.MULTILINE)
    if before:
        raise ValueError(f"a console block that begins with no command: {before!r}")
    for place, part in enumerate(parts):
        line, _, said = part.partition("\n")
        yield Command(line, said, any(following.startswith("echo $?\n") for following in parts[place + 1 : place + 2]))


def patched(text: str, diff: str) -> str:
    """`text` with the change. ValueError where what it changes does not occur exactly once."""
    for hunk in re.split(r"^@@.*\n", diff, flags=re.MULTILINE):
        if not hunk:
            continue
        before, after = (
            "".join(line[1:] for line in hunk.splitlines(keepends=True) if line[0] in f" {sign}") for sign in "-+"
        )
        if text.count(before) != 1:
            raise ValueError(f"occurs {text.count(before)} times:\n{before}")
        text = text.replace(before, after)
    return text


def normalised(text: str) -> str:
    """Without what differs from run to run: addresses, times, digests, versions."""
    text = re.sub(r"0x[0-9a-f]{6,}", "0x…", text)
    text = re.sub(r"\d+\.\d+ ?s\b", "… s", text)
    text = re.sub(r"heaplaw \d+\.\d+\.\d+\S*", "heaplaw …", text)
    text = re.sub(r"(HL\d+[-_])[0-9a-f]{8}\b", r"\1…", text, flags=re.IGNORECASE)
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def same(shown: str, said: str) -> bool:
    """What was said is what is shown."""
    pattern = "".join(
        r"(?:.*\n)*?" if line == f"{ANY}\n" else re.escape(line) for line in normalised(shown).splitlines(keepends=True)
    )
    return re.fullmatch(pattern, normalised(said)) is not None


def run(text: str, folder: Path, environment: Mapping[str, str]) -> Iterator[Step]:
    """Do what a document says, in `folder`; each step is given when it is done. AssertionError: it is not so."""
    code = 0
    for step in steps(text):
        match step:
            case Write(name, content):
                (folder / name).write_text(content)
            case Patch(name, diff):
                path = folder / name
                path.write_text(patched(path.read_text(), diff))
            case Command(line, shown, code_follows):
                done = subprocess.run(
                    ["bash", "-c", f"(exit {code})\n{line}"],
                    cwd=folder,
                    env=dict(environment),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    timeout=LONGEST,
                )
                code = done.returncode
                assert code == 0 or code_follows, f"$ {line}\nexit code {code}\n{done.stdout}"
                if not same(shown, done.stdout):
                    raise DiffersError(line, shown, "".join(f"{said.rstrip()}\n" for said in done.stdout.splitlines()))
        yield step
