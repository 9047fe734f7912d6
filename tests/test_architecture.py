import ast
import os
import re
from pathlib import Path

import pytest
from importlinter.application.use_cases import lint_imports
from importlinter.configuration import configure

PACKAGE = Path(__file__).parent.parent / "woolly_mcpdiag"
MODULES = sorted(PACKAGE.rglob("*.py"))
HARDLY_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "handler"}


def name(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def test_every_import_contract_is_kept(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.chdir(root)
    monkeypatch.syspath_prepend(str(root))
    configure()
    kept = lint_imports(config_filename="pyproject.toml", cache_dir=None, no_logo=True)
    said = capsys.readouterr().out
    assert kept, said
    assert re.search(r"[1-9]\d* kept, 0 broken", said), said


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_is_small_and_says_what_it_is_for(path: Path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    assert ast.get_docstring(ast.parse(text)), "no module docstring"


def test_no_module_has_a_name_that_says_nothing():
    assert [name(path) for path in MODULES if path.stem in HARDLY_NAMES] == []


def test_no_file_names_a_package_registry(root: Path):
    hosts = [
        ".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"))
    ]
    skipped = {".git", ".venv", "dist", "build", "node_modules", "__pycache__"}
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [one for one in folders if one not in skipped and not one.endswith("_cache")]
        for file in files:
            path = Path(folder, file)
            text = path.read_bytes().decode("utf-8", "replace")
            found += [f"{path.relative_to(root)}: {host}" for host in hosts if host in text]
    assert found == []
