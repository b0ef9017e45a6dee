"""The public test kit: contracts for backends, transcripts, fakes, a whole node as a fixture."""
