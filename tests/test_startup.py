import subprocess
import sys

import pytest

HEAVY = (
    "numpy",
    "pandas",
    "mcp",
    "httpx",
    "httpx2",
    "rich",
    "anyio",
    "zstandard",
    "pyarrow",
    "woolly_mcpdiag.cli.load",
)
NEEDLESS = (
    "pandas",
    "pydantic",
    "rich",
    "mcp",
    "httpx",
    "numpy.ma",
    "woolly_mcpdiag.cli.gate",
    "woolly_mcpdiag.core.runs",
)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["analyze-logs", "--help"], ["explain", "--help"]])
def test_help_and_version_load_nothing_heavy(environment, arguments: list[str]):
    code = (
        "import sys\n"
        "from woolly_mcpdiag.cli import main\n"
        f"sys.argv[1:] = {arguments!r}\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        f"    print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stderr == "[]\n"
    assert done.stdout


def test_reading_a_log_loads_nothing_that_only_others_need(environment, seed_log):
    code = (
        "import sys\n"
        "from woolly_mcpdiag.cli import main\n"
        f"sys.argv[1:] = ['analyze-logs', {str(seed_log)!r}, '-f', 'text', '--fail-on', 'net']\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        f"    print([name for name in {NEEDLESS!r} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == "[]\n"
    assert done.returncode == 0


def test_numpy_starts_no_threads_of_its_own(environment):
    code = (
        "import os, sys\n"
        "from woolly_mcpdiag.cli import main\n"
        "sys.argv[1:] = ['--version']\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        "    print(os.environ['OPENBLAS_NUM_THREADS'])\n"
    )
    environment.pop("OPENBLAS_NUM_THREADS", None)
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "1"
