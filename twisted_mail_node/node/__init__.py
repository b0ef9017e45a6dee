"""The node: configuration, assembly, life cycle. The only room that names the concrete classes of the others."""
