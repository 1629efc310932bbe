"""A search as a part of a check: after the campaigns, of so many operations, with a corpus on disk if there is one."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from .corpus import Corpus, check_place
from .loop import Search

if TYPE_CHECKING:
    from heaplaw.check import Check


@dataclass
class Searching:
    """What a check does after its campaigns. Called with it."""

    operations: int
    folder: Path | None = None
    """Where the corpus lies; None: it is not kept."""
    search: Search | None = field(default=None, init=False)
    corpus: Corpus | None = field(default=None, init=False)
    done: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.folder is not None:
            check_place(self.folder)

    def __call__(self, check: "Check") -> None:
        """Search, and tell the check's user how far it is."""
        search = self.search = Search(check.subject.shape.name, check.seed)
        if self.folder is not None:
            corpus = self.corpus = Corpus(self.folder, search.shape)
            search.queue = corpus.load()
            search.found = corpus.keep
        check.progress("searching for new behaviour")
        counts, start = check.counts, check.done
        check.counts = lambda done, _total, broken: counts(check.done - start + done, self.operations, broken)
        try:
            search.run(check, self.operations)
        finally:
            check.counts = counts
            self.done = check.done - start

    def lines(self) -> list[str]:
        """What the search came to, in words."""
        search, corpus = self.search, self.corpus
        if search is None:
            return []
        traces = f"{search.turn:,} trace{'s' * (search.turn != 1)}"
        told = f"search  {self.done:,} operations in {traces}, {len(search.seen):,} features of behaviour"
        lines = [f"{told}, {search.added:,} stretch{'es' * (search.added != 1)} kept"]
        if corpus is not None:
            there = f", {corpus.there:,} of those kept there already" if corpus.there else ""
            lines += [f"corpus  {corpus.read:,} read, {corpus.written:,} written{there}: {corpus.folder}"]
            lines += [f"corpus  {problem}" for problem in corpus.problems]
        return lines
