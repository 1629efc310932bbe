"""What tests of mappings share: a mapping that is whole, and a file to write."""

from collections.abc import Callable
from pathlib import Path

import pytest

from heaplaw.mapping import Mapping, MappingError, load

WHOLE = """\
library = "./libtlsf.so"
shape = "malloc"
buffer = 1048576
pool = "tlsf_create_with_pool(buffer, capacity)"
alloc = "tlsf_malloc(pool, size)"
free = "tlsf_free(pool, ptr)"
"""


@pytest.fixture
def whole() -> str:
    """The text of a mapping without mistakes, at whose end keys of the top level may be added."""
    return WHOLE


@pytest.fixture
def reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str | bytes], Mapping]:
    """Load a mapping of the given text, from a file called m.toml in the working folder."""
    monkeypatch.chdir(tmp_path)

    def do(text: str | bytes) -> Mapping:
        Path("m.toml").write_bytes(text.encode() if isinstance(text, str) else text)
        return load(Path("m.toml"))

    return do


@pytest.fixture
def report(reading: Callable[[str | bytes], Mapping]) -> Callable[[str | bytes], str]:
    """Load a mapping that has mistakes: what is told of them."""

    def do(text: str | bytes) -> str:
        with pytest.raises(MappingError) as caught:
            reading(text)
        assert caught.value.count == caught.value.report.count("error: ")
        return caught.value.report

    return do
