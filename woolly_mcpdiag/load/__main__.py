"""``python -m woolly_mcpdiag.load``: a load process, started by ``load.processes`` only."""

from woolly_mcpdiag.load.child import main

main()
