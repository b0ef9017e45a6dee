"""
The mail store, queue and directory in one SQL database. See `store` for the way in, `writer` for how it commits.

The statements are the same for SQLite and PostgreSQL; `connection` says how that is done.
"""

from .sqlite import SQLiteStore, examine

__all__ = ["SQLiteStore", "examine"]
