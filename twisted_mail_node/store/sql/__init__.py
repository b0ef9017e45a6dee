"""The mail store, queue and directory in one SQLite file. See `store` for the way in, `writer` for how it commits."""

from .examine import examine
from .store import SQLiteStore

__all__ = ["SQLiteStore", "examine"]
