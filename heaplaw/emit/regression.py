"""A stored witness as a test for pytest."""

import json

from heaplaw.errors import UsageError
from heaplaw.store import Stored


def pytest_regression(stored: Stored) -> str:
    """The witness as a test that passes once the law holds; UsageError where only another test can make the subject."""
    if stored.subject.get("kind") == "here":
        node = stored.subject["node"]
        raise UsageError(
            f"{stored.path}: {node} makes the subject, and is the regression test itself; "
            "`heaplaw replay` runs this trace"
        )
    text = json.dumps(dict(stored.document))
    return (
        f'"""{stored.id}: {stored.document["sentence"]}."""\n\n'
        "import json\nfrom pathlib import Path\n\n"
        "from heaplaw.replay import run_again\nfrom heaplaw.store import load\n\n"
        f"WITNESS = json.loads({text!r})\n\n\n"
        f"def test_{stored.law}__{stored.id.lower().replace('-', '_')}(tmp_path: Path) -> None:\n"
        '    path = tmp_path / "witness.json"\n    path.write_text(json.dumps(WITNESS))\n'
        "    lines, broken = run_again(load(path), times=3)\n"
        '    assert not broken, "\\n".join(lines)\n'
    )
