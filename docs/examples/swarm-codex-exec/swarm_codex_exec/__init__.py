"""Codex in its one-shot mode, as a harness for swarm."""
