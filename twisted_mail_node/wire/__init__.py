"""Sans-I/O engines and grammars: bytes become events, decisions become bytes."""
