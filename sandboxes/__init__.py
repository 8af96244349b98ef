"""Places to run a program on a directory. Knows no git and no agents."""
