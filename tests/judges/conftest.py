"""Every engine of the fast judge, for tests that ask for `engine`."""

import pytest

from .agreement import ENGINES, use


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    use(request.param, monkeypatch)
    return str(request.param)
