"""What tests of clauses share: a small allocator in C that can do one thing wrongly, called as malloc is."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from heaplaw.subjects import ProcessSubject
from heaplaw.subjects.resolve import resolve

SOURCE = Path(__file__).with_name("allocator.c")
MAPPING = """\
source = "{source}"
shape = "malloc"
alloc = "t_malloc(size)"
zeroed = "t_calloc(count, size)"
realloc = "t_realloc(ptr, size)"
aligned = "t_aligned_alloc(align, size)"
posix_memalign = "t_posix_memalign(&out, align, size)"
free = {free}
usable_size = "t_usable_size(ptr)"
environment = {{ CLAUSE_FAULT = "{fault}"{policy} }}
[promises]
aligned_size = "any"
errno = true
usable = "writable"
{promises}
"""
Make = Callable[..., ProcessSubject]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """The allocator with a fault, and what its mapping promises beyond the rest."""
    if shutil.which(os.environ.get("CC", "cc").split()[0]) is None:
        pytest.skip("there is no C compiler")
    made: list[ProcessSubject] = []

    def of(fault: str = "", policy: str = "", promises: Mapping[str, str] | None = None) -> ProcessSubject:
        refuses = "error" in (policy, (promises or {}).get("misuse"))
        free = '{ call = "t_give(ptr)", returns = "status" }' if refuses else '"t_free(ptr)"'
        text = "\n".join(f'{key} = "{value}"' for key, value in (promises or {}).items())
        path = tmp_path / f"{fault or 'correct'}-{len(made)}.toml"
        named = f', CLAUSE_POLICY = "{policy}"' if policy else ""
        path.write_text(MAPPING.format(source=SOURCE, free=free, fault=fault, policy=named, promises=text))
        (found,) = resolve(str(path))
        made.append(found)
        return found

    yield of
    for subject in made:
        subject.close()
