"""The mail store, queue and directory in one SQLite file. See `store` for the way in, `writer` for how it commits."""

from .store import SQLiteStore

__all__ = ["SQLiteStore"]
