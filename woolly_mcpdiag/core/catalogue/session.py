"""The session family: every cause in the life of an MCP session."""

from woolly_mcpdiag.core.catalogue.session_birth import BIRTH
from woolly_mcpdiag.core.catalogue.session_loss import LOSS
from woolly_mcpdiag.core.causes import Cause

CAUSES: tuple[Cause, ...] = BIRTH + LOSS
