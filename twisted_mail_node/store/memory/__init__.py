"""
The reference backend: every durable door, kept in memory and lost with the process.

What the doors' docstrings leave open, this shows. The parts: `content` (bodies and entries), `mailbox` and
`account` (what changes, and the change log), `queue`, `directory` (each its own table),
`commit` (what a transaction does), `sharing` (between accounts), `notices` (who is told), `doors` (IAccount, IMailbox),
`store` (MemoryStore).
"""

from .store import MemoryStore

__all__ = ["MemoryStore"]
