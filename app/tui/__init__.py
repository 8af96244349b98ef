"""The screen: a client of the local API like any other; it holds no state that matters."""
