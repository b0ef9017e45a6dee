"""Thin Twisted protocols: they drive engines, ask doors, and write what comes of it."""
