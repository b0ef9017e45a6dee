"""
What keeps mail safe beyond the store's own commits: copies of it, looks at it, and the way back.

A file for each: `backups` and `restoring` make and use copies, `verifying` looks, `upgrading` changes the tables.
All block, and run in the operator's own process; only a backup of a store in use is made by its node.
"""
