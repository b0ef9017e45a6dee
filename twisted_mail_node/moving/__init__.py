"""
Mail on the move: out of other programs' files and servers into a store, and out of a store into files.

`formats` knows what mail looks like elsewhere; `source` has the values that come out of it. `importing` and
`exporting` move it, through what `shelf` asks of a store. All of it runs in the process of whoever moves mail, never
in a node that serves: what it does blocks.
"""
