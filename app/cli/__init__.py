"""The command line: one file per family of verbs. stdout is data, stderr is narration.

A verb's file imports nothing heavy at its top: `swarm --help` reads all of them, and a verb pays for what it uses.
"""

import gc

# Most verbs are over before there is garbage: looking for it took a tenth of their time.
gc.set_threshold(100_000, 50, 50)
