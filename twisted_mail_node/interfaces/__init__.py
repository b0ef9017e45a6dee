"""Doors: the zope.interface contracts through which the rooms meet."""
