"""Everything that runs git: the user's repository, swarm's hub, snapshots, worktrees and merges."""
