"""The store on a PostgreSQL server. See `engine` for what is special about it; needs psycopg 3."""

from .examine import examine
from .store import PostgresStore

__all__ = ["PostgresStore", "examine"]
