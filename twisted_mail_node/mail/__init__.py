"""Values: what every other floor speaks of. Pure; standard library only."""
