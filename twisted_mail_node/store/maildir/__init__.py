"""
Maildirs on a file system: names, folders, files. What is not here is an index: which UID, which flags, who is told.

Neighbours: `store.sql.maildir` joins these files with the index. Values of names are in `mail.maildir_name`.
"""
