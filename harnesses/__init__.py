"""Drivers of agent protocols: a brief in, a launch and events out. No I/O, no Docker, no screen."""
