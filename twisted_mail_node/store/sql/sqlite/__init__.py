"""The store on one SQLite file. See `engine` for what is special about it."""

from .examine import examine
from .store import SQLiteStore

__all__ = ["SQLiteStore", "examine"]
