"""The nouns of swarm: frozen values that every other part may know. No I/O, no clock."""
