"""The examples give the output that is stored beside them. HEAPLAW_UPDATE=1 writes it anew."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
EXPECTED = EXAMPLES / "expected"


def normalised(text: str) -> str:
    """Without what differs from run to run: addresses, times, digests."""
    text = re.sub(r"0x[0-9a-f]{6,}", "0x…", text)
    text = re.sub(r"\d+\.\d s", "… s", text)
    text = re.sub(r"heaplaw \d+\.\d+\.\d+\S*", "heaplaw …", text)
    return re.sub(r"-[0-9a-f]{8}\.json", "-….json", text)


def compare(name: str, arguments: list[str], folder: Path, code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "heaplaw.cli", "check", *arguments, "--seed", "1"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (code, ""), done
    golden, found = EXPECTED / f"{name}.txt", normalised(done.stdout)
    if os.environ.get("HEAPLAW_UPDATE"):
        golden.write_text(found)
    assert found == golden.read_text()


@pytest.mark.parametrize(
    ("kind", "module", "thing", "code"),
    [("conform", "stack_pool", "StackPool", 0), ("violate", "hasty_pool", "HastyPool", 1)],
)
def test_pools(tmp_path: Path, kind: str, module: str, thing: str, code: int) -> None:
    shutil.copy(EXAMPLES / kind / f"{module}.py", tmp_path)
    arguments = [f"{module}:{thing}", "--shape", "pool", "--block-size", "32", "--num-blocks", "4", "-n", "500"]
    compare(module, arguments, tmp_path, code)


def test_a_library(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no compiler (Debian: gcc)")
    source = EXAMPLES / "violate" / "bump.c"
    flags = ["-O1", "-shared", "-fPIC", "-fno-builtin"]
    subprocess.run([compiler, *flags, str(source), "-o", "bump.so"], cwd=tmp_path, check=True)
    compare("bump", ["./bump.so", "--prefix", "bump_", "-n", "2000"], tmp_path, 1)
