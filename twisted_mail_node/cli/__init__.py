"""
The command line `mailnode`: a file per group of commands, `app` holds them together.

It asks the running node through its control socket, or works on the store itself; what is allowed and done is
decided in `node.control.operations`.
"""

from .app import main

__all__ = ["main"]
