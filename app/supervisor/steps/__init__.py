"""The effects the workflows call. Each may be killed anywhere and said twice: it ends in the same state."""
