"""What git work can end in, besides success.

RepoError                       exit 5
├── TimedOut                    git took longer than it was given
├── TooLarge                    more than a person could review, or than swarm will read
└── SnapshotRefused             what came out of the sandbox may not enter the hub
NotNow                          exit 1
├── TargetMoved                 the target branch is no longer where the approval saw it
├── TargetDirty                 the target's checkout holds changes that the merge would overwrite
├── Unreplayable                a turn holds what the change as a whole does not show
└── Conflicts                   both sides changed the same lines
"""

from app.domain.errors import NotNow, RepoError


class TimedOut(RepoError):
    """Git took longer than it was given."""


class TooLarge(RepoError):
    """More than a person could review, or than swarm is willing to read."""


class SnapshotRefused(RepoError):
    """What came out of the sandbox may not enter the hub."""


class TargetMoved(NotNow):
    """The target branch is no longer where it was when the change was approved."""


class TargetDirty(NotNow):
    """The target is checked out, and work that nobody committed stands in the way."""


class Conflicts(NotNow):
    """Both sides changed the same lines."""


class Unreplayable(NotNow):
    """A change cannot land turn by turn: one of its turns conflicts, or holds what nobody would have looked at."""
