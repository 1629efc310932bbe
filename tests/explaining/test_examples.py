"""Every law is explained, and its examples are what they are said to be: the laws themselves judge them."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from heaplaw import mapping
from heaplaw.explaining.entries import ENTRIES, GROUPS
from heaplaw.explaining.entry import Entry, in_mapping
from heaplaw.explaining.judged import judged
from heaplaw.explaining.needs import NEEDS
from heaplaw.mapping.vocabulary import PROMISES as PROMISED_KEYS
from heaplaw.mapping.vocabulary import TOP
from heaplaw.spec import catalogue
from heaplaw.spec.catalogue import CATALOGUE, laws_of
from heaplaw.spec.history import History
from heaplaw.spec.law import PROMISES, Scope, implied
from heaplaw.subjects.mapped import env_of, plan_of, promises_of

MAPPINGS = {
    "malloc": 'alloc = "malloc(size)"\nfree = "free(ptr)"\nrealloc = "realloc(ptr, size)"\n'
    'aligned = "aligned_alloc(align, size)"\nposix_memalign = "posix_memalign(&out, align, size)"\n'
    'usable_size = "malloc_usable_size(ptr)"',
    "freelist": 'buffer = 4096\nlist = "make(buffer, capacity)"\nalloc = "take(list, size)"\nfree = "give(list, ptr)"',
    "bump": 'buffer = 4096\nbump = "make(buffer, capacity)"\nalloc = "take(bump, size)"\nreset = "clear(bump)"\n'
    'remaining = "left(bump)"\ntotal_allocated = "taken(bump)"',
    "pool": 'buffer = 4096\nblock_size = 64\nnum_blocks = 4\npool = "make(buffer, capacity)"\n'
    'alloc = "take(pool)"\nfree = "give(pool, ptr)"',
    "lua_alloc": 'lua_alloc = "resize(NULL, ptr, osize, nsize)"',
}
PROMISED = (
    *("max_align", "zero_size", "direction", "padding", "reuse_order", "coalesces", "header", "zero_resize"),
    *("dialects", "double_free", "interior_free", "unaligned_free", "foreign_free"),
)
"""What a setting may change of a history's environment."""


def test_every_law_has_an_entry_and_every_entry_a_law() -> None:
    assert set(ENTRIES) == set(CATALOGUE)
    assert sum(len(entries) for _, entries in GROUPS.values()) == len(ENTRIES)


def test_entries_stand_in_the_groups_of_the_catalogue() -> None:
    for name, (_, entries) in GROUPS.items():
        stated = {law.name for law in getattr(catalogue, name).LAWS}
        assert {entry.law for entry in entries} == stated, name


@pytest.mark.parametrize("name", CATALOGUE)
def test_one_example_keeps_the_law_and_one_breaks_it(name: str) -> None:
    law, entry = CATALOGUE[name], ENTRIES[name]
    kept, broken = judged(law, entry.kept), judged(law, entry.broken)
    assert kept.judged >= max(1, law.min_judged)
    assert kept.violation is None, kept.violation
    assert broken.violation is not None


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=lambda entry: entry.law)
def test_examples_are_short_and_of_a_shape_that_the_law_speaks_of(entry: Entry) -> None:
    law = CATALOGUE[entry.law]
    for example in (entry.kept, entry.broken):
        if law.scope in (Scope.LAYOUT, Scope.COST):
            assert not isinstance(example, History)
            continue
        assert isinstance(example, History)
        assert example.trace.shape in law.shapes
        assert len(example) <= 5 or law.scope is Scope.RUN
    if isinstance(entry.broken, History):
        guilty = judged(law, entry.broken).guilty
        assert max(guilty, default=len(entry.broken) - 1) == len(entry.broken) - 1  # nothing comes after the fault


TOGETHER = {
    "first_operation": {"failure_is_reported"},
    "pool_conserved": {"accounting_exact"},
}
"""What cannot be broken without the other."""


@pytest.mark.parametrize("name", CATALOGUE)
def test_what_breaks_a_law_breaks_no_other(name: str) -> None:
    """Of those that are judged of a subject that offers what this law needs, and no more; in scenes where it is, and
    else not: the others' examples are no scenes.
    """
    law, example = CATALOGUE[name], ENTRIES[name].broken
    if not isinstance(example, History):
        return
    promised = {"huge sizes", "giving back", *(["coalesces"] if example.told.coalesces else [])}
    others = [other for other in laws_of(example.trace.shape, law.scenes) if other.needs <= law.needs | promised]
    broken = {other.name for other in others if judged(other, example).violation}
    assert broken == {name} | TOGETHER.get(name, set())


def test_words_are_two_to_five_sentences() -> None:
    for entry in ENTRIES.values():
        assert 2 <= len(re.findall(r"[.?!)](?: |$)", entry.words)) <= 5, entry.law
        assert entry.legitimate.endswith("."), entry.law


def test_all_that_laws_need_is_told() -> None:
    assert {name for law in CATALOGUE.values() for name in law.needs} <= set(NEEDS)


def test_keys_that_are_named_exist() -> None:
    for way in NEEDS.values():
        for quoted in way.split("`")[1::2]:
            key = quoted.removeprefix("[promises] ").partition(" ")[0].strip('"')
            assert key in (*TOP, *PROMISED_KEYS, "heaplaw", "unique", "fifo"), way


def offered(path: Path, shape: str, setting: list[str]) -> tuple[Any, frozenset[str]]:
    """What a mapping with that setting promises: the environment, and what laws need."""
    top, promises = ([], setting) if setting[0] == "[promises]" else (setting, [])
    path.write_text("\n".join(['library = "libc"', f'shape = "{shape}"', MAPPINGS[shape], *top, *promises]) + "\n")
    read = mapping.load(path)
    env = env_of(read)
    return env, implied(plan_of(read).offers | promises_of(read, env) | {"C functions"})  # as all libraries do


SETTINGS = [(entry, setting) for entry in ENTRIES.values() for setting in entry.settings]


@pytest.mark.parametrize(("entry", "setting"), SETTINGS, ids=lambda item: getattr(item, "law", item))
def test_a_setting_allows_what_the_example_does(entry: Entry, setting: str, tmp_path: Path) -> None:
    law, example = CATALOGUE[entry.law], entry.broken
    assert isinstance(example, History)
    env, offers = offered(tmp_path / "mine.toml", example.trace.shape, in_mapping(setting))
    told = replace(example.told, **{name: getattr(env, name) for name in PROMISED})
    again = judged(law, replace(example, env=told))
    missing = law.needs - offers
    # The mapping has the operations: only the setting makes the difference.
    assert missing <= {*PROMISES, "huge sizes", "any aligned size"}
    assert missing or again.violation is None


def test_laws_that_are_never_broken_legitimately_have_no_settings() -> None:
    for entry in ENTRIES.values():
        assert not entry.settings or not entry.legitimate.startswith("never:"), entry.law
