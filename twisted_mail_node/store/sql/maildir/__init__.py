"""
Bodies in Maildirs: the index is in the database, and every message of a mailbox is a file that other programs see.

What a file's name tells and what the index says are kept alike in both directions. What we change is committed in the
index first, and done to the files right after the commit, before anybody is told; what others change is found by
looking, and committed as a change like any other. `docs/maildir.md` has the table of states.

Neighbours: `store.maildir` for files and names, without an index; `work` is what a batch of the writer does to files,
`reading` how messages are found and read, `comparing`, `adopting` and `syncing` how others' changes come in,
`watching` how they are noticed while somebody waits for them, `files` what holds it together.
"""
