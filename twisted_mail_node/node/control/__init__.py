"""
The operator's commands: what they do (`operations`), over a unix socket to a running node (`server`, `client`), or
on the store itself where none runs (`direct`). `access` chooses between the two.
"""
