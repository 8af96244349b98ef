"""The command line: one file per family of verbs. stdout is data, stderr is narration.

A verb's file imports nothing heavy at its top: `swarm --help` reads all of them, and a verb pays for what it uses.
"""
