import importlib
import sys

import pytest


@pytest.mark.parametrize(("library", "door"), [("fastmcp", "fastmcp"), ("pydantic_ai", "pydantic_ai")])
def test_an_adapter_whose_library_is_absent_says_what_to_install(monkeypatch, library, door):
    for name in [name for name in sys.modules if name.partition(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, f"woolly_mcpdiag.client.{door}", raising=False)
    with pytest.raises(ImportError, match=rf"woolly-mcpdiag\[{door.replace('_', '-')}\]"):
        importlib.import_module(f"woolly_mcpdiag.client.{door}")
