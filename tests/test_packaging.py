import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

import woolly_mcpdiag


@pytest.fixture
def project(root: Path) -> dict:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_version_stands_in_one_place_only(root: Path, project):
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["hatch"]["version"]["path"] == "woolly_mcpdiag/__init__.py"
    version = re.escape(woolly_mcpdiag.__version__)
    again = [
        path.name
        for path in (root / "woolly_mcpdiag").rglob("*.py")
        if re.search(rf'["\']{version}["\']', path.read_text(encoding="utf-8"))
    ]
    assert again == ["__init__.py"]


def test_what_is_no_python_is_inside_the_package_where_the_wheel_takes_it_from(root: Path, project):
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["woolly_mcpdiag"]
    for name in ("py.typed", "report/schema.json"):
        assert (root / "woolly_mcpdiag" / name).is_file()
        ignored = subprocess.run(
            ["git", "-C", root, "check-ignore", f"woolly_mcpdiag/{name}"], capture_output=True, check=False
        )
        assert ignored.returncode != 0, "hatchling leaves out what git ignores"


@pytest.mark.skipif(find_spec("hatchling") is None, reason="hatchling is not installed here; .ci/run builds the wheel")
def test_the_wheel_holds_schema_types_and_licence(root: Path, tmp_path: Path):
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=root, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {"woolly_mcpdiag/py.typed", "woolly_mcpdiag/report/schema.json"} <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if name.startswith("tests/")]


def test_constraints_are_plain_pins_that_cover_every_dependency(root: Path, project):
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9A-Za-z.]*", line) for line in lines)
    pinned = {line.partition("==")[0].lower().replace("_", "-") for line in lines}
    extras = project["project"]["optional-dependencies"]
    wanted = [*project["project"]["dependencies"], *extras["test"], *extras["dev"]]
    names = {re.match(r"[A-Za-z0-9_.-]+", line)[0].lower() for line in wanted} - {"woolly-mcpdiag"}
    assert names <= pinned


def test_ci_names_nothing_that_old_pip_lacks(root: Path):
    script = (root / ".ci" / "run").read_text(encoding="utf-8")
    assert "set -euo pipefail" in script
    assert "--group" not in script
