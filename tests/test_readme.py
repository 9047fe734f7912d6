import re
import shlex
from pathlib import Path

import pytest
import typer

from woolly_mcpdiag.cli.app import app
from woolly_mcpdiag.cli.errors import EXIT_CODES

COMMANDS = typer.main.get_command(app).commands


@pytest.fixture
def readme(root: Path) -> str:
    return (root / "README.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def joined(text: str) -> str:
    """Return a text with the lines that a backslash continues in one."""
    return re.sub(r"\\\n\s*", "", text)


def shell_lines(text: str) -> list[str]:
    text = joined(text)
    lines = [line for block in blocks(text, "sh") for line in block.splitlines() if line.strip()]
    return lines + [
        line[2:] for block in blocks(text, "console") for line in block.splitlines() if line.startswith("$ ")
    ]


def calls(line: str) -> list[list[str]]:
    """Return the arguments of every ``mcpdiag`` in a shell line."""
    words = shlex.split(line, comments=True)
    starts = [at for at, word in enumerate(words) if word == "mcpdiag"]
    ends = {"&&", "|", ";"}
    found = []
    for at in starts:
        rest = words[at + 1 :]
        end = next((n for n, word in enumerate(rest) if word in ends), len(rest))
        found.append(rest[:end])
    return found


def excerpt(output: str) -> str:
    """Return what the README shows of a report: verdict, ledger, the fix for the client, the hypotheses' answers."""
    head, ledger, *rest = output.split("\n\n")
    fix = re.search(r"^  fix client .*\n(?: {10,}.*\n)*", "\n\n".join(rest), re.MULTILINE)[0]
    answers = re.findall(r"^  (?:race|timing|pool|deterministic) .*\?$", output, re.MULTILINE)
    return "\n".join([head, "", ledger, "…", fix.rstrip("\n"), "…", *answers]) + "\n"


def test_the_diagnosis_shown_is_what_the_command_prints(root: Path, readme: str, mcpdiag):
    (block,) = blocks(readme, "console")
    command, _, shown = block.partition("\n")
    (arguments,) = calls(command)
    assert shown == excerpt(mcpdiag(*arguments, cwd=root).stdout)


def test_the_readme_is_short(readme: str):
    assert readme.count("\n") <= 150


def test_the_first_screen_has_exactly_the_two_commands(readme: str):
    first, _, _ = readme.partition("\n## ")
    assert [block.strip() for block in blocks(first, "sh")] == [
        "pip install . && mcpdiag gate",
        "pip install -e '.[test]' && pytest",
    ]
    assert first.count("\n") <= 40


def test_ci_runs_the_commands_of_the_readme_and_no_copies(root: Path, readme: str):
    script = (root / ".ci" / "run").read_text(encoding="utf-8")
    assert "README.md" in script
    assert "commands[0]" in script
    assert "commands[1]" in script
    first, _, _ = readme.partition("\n## ")
    assert len(re.findall(r"^pip install ", first, re.MULTILINE)) == 2


@pytest.mark.parametrize(
    "document", ["README.md", "docs/reading-logs.md", "docs/gate.md", "docs/load.md", "CONTRIBUTING.md"]
)
def test_every_command_shown_parses(root: Path, document: str):
    text = (root / document).read_text(encoding="utf-8")
    for line in shell_lines(text):
        for name, *arguments in calls(line):
            assert name in COMMANDS, f"{document}: {line}"
            COMMANDS[name].make_context(name, list(arguments))


def test_every_command_has_help_and_stands_in_the_readme(readme: str):
    for name, command in COMMANDS.items():
        assert command.help
        assert "Examples:" in command.epilog
        assert "Exit codes:" in command.epilog
        assert f"`mcpdiag {name}" in readme
        undocumented = [param.name for param in command.params if not getattr(param, "help", "")]
        assert undocumented == []


def test_every_example_of_the_help_parses():
    for command in COMMANDS.values():
        for line in joined(command.epilog).splitlines():
            for name, *arguments in calls(line) if line.startswith("  ") and "mcpdiag" in line else ():
                if name in COMMANDS:
                    COMMANDS[name].make_context(name, list(arguments))


def test_the_table_of_exit_codes_is_that_of_the_program(readme: str):
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", readme, re.MULTILINE)
    assert [(int(code), meaning.replace("`", "")) for code, meaning in rows] == [
        (int(code), meaning) for code, meaning in EXIT_CODES.items()
    ]


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "docs/reading-logs.md"])
def test_links_lead_to_files_that_exist(root: Path, document: str):
    path = root / document
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text(encoding="utf-8"))
    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_contributing_is_short(root: Path):
    assert (root / "CONTRIBUTING.md").read_text(encoding="utf-8").count("\n") <= 80
