"""``python -m woolly_mcpdiag.demo``: the child end of ``process.demo_process``."""

from woolly_mcpdiag.demo.process import main

if __name__ == "__main__":
    main()
