"""All known messages, in the order in which they are tried."""

from woolly_mcpdiag.logs.recognise.message import Message
from woolly_mcpdiag.logs.recognise.messages_servers import HOST, REQUEST, SERVERS
from woolly_mcpdiag.logs.recognise.messages_sessions import OPENED, SESSIONS

MESSAGES = OPENED + SESSIONS + SERVERS

__all__ = ["HOST", "MESSAGES", "OPENED", "REQUEST", "Message"]
