"""Parts of screens. A widget knows its data and its own messages; never its screen, the app or a sibling."""
