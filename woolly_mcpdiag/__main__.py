"""``python -m woolly_mcpdiag``: the same as ``mcpdiag``."""

from woolly_mcpdiag.cli import main

if __name__ == "__main__":
    main()
