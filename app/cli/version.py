"""Which swarm this is."""


def version() -> str:
    """The installed version."""
    from importlib import metadata

    return metadata.version("swarm-agents")
