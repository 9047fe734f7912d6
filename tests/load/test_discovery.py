import pytest

from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.load.discovery import Asked, chosen, destructive


def tool(name, schema=None, **hints):
    return {"name": name, "inputSchema": schema or {"type": "object"}, **({"annotations": hints} if hints else {})}


READ = tool("read", readOnlyHint=True)
ADD = tool("add", destructiveHint=False)
DROP = tool("drop", destructiveHint=True)
SILENT = tool("silent")
ODD = {"type": "object", "properties": {"x": {"type": "string", "pattern": "^[A-Z]{9}$"}}, "required": ["x"]}


def names(choice):
    return [call.name for call in choice.calls]


def test_a_tool_that_says_nothing_may_destroy():
    assert destructive(SILENT)
    assert destructive(DROP)
    assert not destructive(ADD)
    assert not destructive(READ)
    assert not destructive(tool("both", readOnlyHint=True, destructiveHint=True))


def test_tools_that_only_read_come_first_and_alone():
    choice = chosen([ADD, READ, DROP, SILENT])
    assert names(choice) == ["read"]
    assert choice.notes == ("3 tools not called, not marked as read-only: add, drop, silent",)
    assert choice.calls[0].idempotent


def test_without_a_reading_tool_the_harmless_ones_are_called():
    choice = chosen([ADD, DROP])
    assert names(choice) == ["add"]
    assert not choice.calls[0].idempotent


def test_a_server_without_annotations_is_refused_and_never_pinged_instead():
    with pytest.raises(UsageError) as caught:
        chosen([SILENT, tool("other")])
    assert caught.value.message == "tools: none of the 2 says that it only reads: silent, other"
    assert "--tool silent --args '{…}' --allow silent" in caught.value.hint


def test_allow_takes_in_what_may_destroy():
    assert names(chosen([SILENT, DROP], allow=("silent",))) == ["silent"]
    assert names(chosen([READ, SILENT, DROP], allow=("all",))) == ["read", "silent", "drop"]


@pytest.mark.parametrize("one", [DROP, SILENT])
def test_a_named_tool_that_may_destroy_needs_allow(one):
    with pytest.raises(UsageError, match=f"--tool {one['name']}: "):
        chosen([one], [Asked(name=one["name"])])
    assert names(chosen([one], [Asked(name=one["name"])], allow=(one["name"],))) == [one["name"]]


def test_named_arguments_are_taken_as_they_are():
    choice = chosen([READ], [Asked(name="read", arguments={"q": "{i}"})])
    assert choice.calls[0].arguments == {"q": "{i}"}
    assert choice.made_up == frozenset()


def test_a_tool_without_example_is_left_out_with_a_note():
    choice = chosen([READ, tool("odd", ODD, readOnlyHint=True)])
    assert names(choice) == ["read"]
    assert choice.notes[0].startswith("tool odd: left out, no arguments can be made up: arguments.x:")


@pytest.mark.parametrize(
    ("tools", "asked", "allow", "fact"),
    [
        ([READ], [Asked(name="none")], (), "--tool none: the server has no such tool"),
        ([READ], [], ("none",), "--allow none: the server has no such tool"),
        ([], [], (), "the server has none"),
        ([tool("odd", ODD, readOnlyHint=True)], [], (), "nothing to call"),
        ([tool("odd", ODD, readOnlyHint=True)], [Asked(name="odd")], (), "no arguments can be made up"),
    ],
)
def test_what_cannot_be_called_is_wrong_usage(tools, asked, allow, fact):
    with pytest.raises(UsageError, match=fact):
        chosen(tools, asked, allow)
