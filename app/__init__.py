"""swarm: composes harnesses, sandboxes and policies into a supervisor, a command line and a screen."""
