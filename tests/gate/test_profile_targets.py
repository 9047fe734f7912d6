"""Where 400s are looked for, by what is there to be judged."""

import pytest

from woolly_mcpdiag.gate.profile import for_targets, phase4


@pytest.mark.parametrize("kinds", [(), ("agent",), ("mcp",), ("mcp", "mcp")])
def test_with_one_kind_of_target_a_profile_stays_as_it_is(kinds: tuple[str, ...]) -> None:
    assert for_targets(phase4(), kinds) == phase4()


def test_with_both_400s_are_looked_for_on_the_mcp_server_and_runs_on_the_agents_api() -> None:
    found = for_targets(phase4(), ("agent", "mcp"))
    looked_at = {each.id: each.scenes for each in found.criteria}
    assert looked_at["zero-400"] == ("mcp-waves-5", "mcp-waves-20")
    assert looked_at["parallel-success"] == ("waves-5", "waves-20")
    assert [scene.name for scene in found.needed_scenes()][:4] == ["waves-5", "waves-20", "mcp-waves-5", "mcp-waves-20"]
    assert found.scene("mcp-waves-5").waves == found.scene("waves-5").waves
