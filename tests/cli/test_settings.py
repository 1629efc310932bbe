"""`[tool.heaplaw]` in pyproject.toml: defaults of the command line and of the pytest plugin."""

import subprocess
import sys
from pathlib import Path

import pytest

from heaplaw import interrupts
from heaplaw.cli import cli, main
from heaplaw.defaults import settable
from heaplaw.mapping import MappingError
from heaplaw.settings import Settings, read

QUICK = 'subjects = ["mutant:size-33"]\noperations = 300\nseconds = 0\nseed = 7\n'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, the current one; Ctrl-C stays pytest's."""
    monkeypatch.setattr(interrupts, "install", lambda: None)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def table(folder: Path, text: str) -> None:
    """Write the table into the folder's pyproject.toml, behind another tool's."""
    (folder / "pyproject.toml").write_text(f'[project]\nname = "mine"\n[tool.heaplaw]\n{text}')


def run(*arguments: str) -> int:
    """The exit code of the command line, in this process; 0 when it just returns."""
    try:
        main(list(arguments))
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def mistakes(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What is said of a table that cannot be used; nothing was run."""
    assert run(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "nothing was run." in err
    return err


def test_a_check_takes_its_settings_from_the_file_and_says_so(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table(project, QUICK + 'output = "kept"\n')
    assert run("check") == 1
    out, err = capsys.readouterr()
    assert err == "settings  pyproject.toml\n"
    assert "mutant:size-33 " in out
    assert "seed 7" in out
    assert list((project / "kept").iterdir())


def test_what_is_typed_wins(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table(project, QUICK)
    run("check", "mutant:ok-firstfit", "--seed", "8")
    out = capsys.readouterr().out
    assert "mutant:ok-firstfit " in out
    assert "mutant:size-33" not in out
    assert "seed 8" in out


def test_from_a_folder_below_paths_are_the_files(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table(project, QUICK + 'output = "kept"\n')
    (project / "a" / "b").mkdir(parents=True)
    (project / "a" / "pyproject.toml").write_text("[tool.other]\n")  # no table: it is looked for further up
    monkeypatch.chdir(project / "a" / "b")
    assert run("check") == 1
    out, err = capsys.readouterr()
    assert err == "settings  ../../pyproject.toml\n"
    assert "heaplaw replay ../../kept/" in out
    assert list((project / "kept").iterdir())


def test_paths_are_found_among_subjects(project: Path) -> None:
    names = ["glibc", "ref:stack", "mutant:size-33", "package.module:Thing"]
    table(project, f'subjects = {[*names, "mine.toml", "./build/libmine.so", "/usr/lib/x.so"]}\noutput = "out"\n')
    (project / "below").mkdir()
    assert read(project / "below") == Settings(
        subjects=(*names, f"{project}/mine.toml", f"{project}/build/libmine.so", "/usr/lib/x.so"),
        output=project / "out",
        path=project / "pyproject.toml",
    )


def test_what_the_plugin_reads(project: Path) -> None:
    assert read(project) == Settings()
    table(project, "seed = 3\noperations = 1_000\nseconds = 2\nprofile = 'uniform'\n[tool.heaplaw.prove]\njobs = 2\n")
    assert read(project) == Settings(seed=3, operations=1000, seconds=2.0, path=project / "pyproject.toml")


def test_the_nearest_table_holds_alone(project: Path) -> None:
    table(project, "seed = 3\n")
    (project / "below").mkdir()
    table(project / "below", "operations = 5\n")
    assert read(project / "below") == Settings(operations=5, path=project / "below" / "pyproject.toml")


def test_importing_and_reading_without_a_table_is_light(project: Path) -> None:
    code = (
        "import sys, pathlib, heaplaw.settings as s; s.read(pathlib.Path())\n"
        "heavy = {'click', 'tree_sitter', 'numpy', 'z3', 'hypothesis'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_all_mistakes_are_told_at_once(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table(
        project,
        'operations = "2000"\nsed = 3\nboundary-share = 2.0\nboundary_share = 0.1\nseconds = nan\njobs = 2\n'
        'json = true\nprofile = "mixd"\nlaws = {}\nsubjects = ["", 3]\noutput = true\nmemory = true\nshape = "pol"\n'
        "[tool.heaplaw.prove]\njobs = 0\njob = 1\n[tool.heaplaw.check]\nseed = 1\n",
    )
    err = mistakes(capsys, "check", "glibc")
    expected = [
        (4, 14, "`operations` is a string, expected a whole number", "write the number without quotes"),
        (5, 1, "unknown key `sed`", "did you mean `seed`?"),
        (6, 18, "`boundary-share` is out of range: expected 0 to 0.5", ""),
        (7, 1, "`boundary_share` is `boundary-share` again", ""),
        (8, 11, "`seconds` is out of range: expected 0 to 3,600", ""),
        (9, 1, "unknown key `jobs`", "it belongs in `[tool.heaplaw.prove]`"),
        (10, 1, "unknown key `json`", "--json is for the command line only"),
        (11, 11, "`profile` is `mixd`, expected one of `mixed` or `uniform`", "did you mean `mixed`?"),
        (12, 1, "unknown key `laws`", "that command has no settings"),
        (13, 13, "an element of `subjects` is empty", ""),
        (13, 17, "an element of `subjects` is a whole number, expected a string", ""),
        (14, 10, "`output` is a boolean, expected a string", ""),
        (15, 10, "`memory` is a boolean, expected a number", ""),
        (16, 9, "`shape` is `pol`, expected one of ", "did you mean `pool`?"),
        (18, 8, "`jobs` is out of range: expected 1 to 256", ""),
        (19, 1, "unknown key `job`", "did you mean `jobs`?"),
        (20, 15, "unknown key `check`", "the options of `heaplaw check` stand in [tool.heaplaw] itself"),
    ]
    blocks = err.split("\n\n")
    for (line, column, message, advice), block in zip(expected, blocks[:-1], strict=True):
        assert block.startswith(f"error: {message}"), block
        assert f"--> pyproject.toml:{line}:{column}\n" in block, block
        assert (f"= help: {advice}" in block) if advice else ("help" not in block), block
    assert blocks[-1] == "17 errors in pyproject.toml; nothing was run.\n"
    with pytest.raises(MappingError, match="17 errors"):
        read(project)


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("[tool.heaplaw\nseed = 1\n", "1:14", "not TOML: "),
        ("[tool.heaplaw]\nseed = 1\nseed = 2\n", "3:1", "`seed` stands twice"),
        ("[tool]\nheaplaw = 3\n", "2:11", "`heaplaw` is a whole number, expected a table"),
        ("[[tool.heaplaw]]\nseed = 1\n", "1:", "`heaplaw` is a list, expected a table"),
        ("[tool.heaplaw]\nsubjects = []\n", "2:12", "`subjects` is an empty list"),
        ("[tool.heaplaw]\nsubjects = 'glibc'\n", "2:12", "`subjects` is a string, expected a list"),
        ("[tool.heaplaw]\nprove = 2\n", "2:1", "unknown key `prove`"),
    ],
)
def test_one_mistake(project: Path, capsys: pytest.CaptureFixture[str], text: str, where: str, message: str) -> None:
    (project / "pyproject.toml").write_text(text)
    err = mistakes(capsys, "check", "glibc")
    assert err.startswith(f"error: {message}")
    assert f"--> pyproject.toml:{where}" in err
    # Commands that take nothing from the file, and help, are not kept from anybody.
    for arguments in (["--help"], ["check", "--help"], ["laws"]):
        assert run(*arguments) == 0
        assert capsys.readouterr().err == ""


def test_another_tools_broken_file_is_not_ours(project: Path) -> None:
    (project / "pyproject.toml").write_text('[project\nname = "heaplaw-user"\n')
    assert read(project) == Settings()


def test_other_commands_have_tables_of_their_own(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table(project, QUICK + "[tool.heaplaw.explore]\nnum-blocks = 1\nblock_size = 8\n")
    told = "pool: pools of {} of 8 bytes\n"
    run("explore", "pool")
    out, err = capsys.readouterr()
    assert out.startswith(told.format("1 block"))
    assert err == "settings  pyproject.toml\n"
    run("explore", "pool", "--num-blocks", "2")
    assert capsys.readouterr().out.startswith(told.format("2 blocks"))
    table(project, QUICK)  # a check's alone
    run("explore", "pool", "--num-blocks", "1", "--block-size", "8")
    assert capsys.readouterr().err == ""


def test_there_is_no_second_way(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(parameter.envvar is None for command in cli.commands.values() for parameter in command.params)
    assert cli.context_settings.get("auto_envvar_prefix") is None


def test_every_option_of_a_check_can_be_set_or_is_a_flag() -> None:
    known = settable(cli.commands["check"])
    for parameter in cli.commands["check"].params:
        assert parameter in known.values() or getattr(parameter, "is_flag", False), parameter.name
