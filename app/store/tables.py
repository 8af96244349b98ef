"""Every table of swarm's own. DBOS keeps its tables in the same database, so one transaction covers both.

Money is micro-dollars, times are unix seconds, lists are JSON text. Migrations create these tables;
a test holds the two together.
"""

import sqlalchemy as sa

from app.store.host_tables import HOST, INSTALLATION, TOKEN
from app.store.metadata import LOG, STATE
from app.store.review_tables import COMMENT, REVIEW
from app.store.route_tables import BUNDLE, OUTCOME, ROUTE, RUN_END

__all__ = [
    "BUNDLE",
    "COMMENT",
    "HOST",
    "INSTALLATION",
    "LOG",
    "OUTCOME",
    "REVIEW",
    "ROUTE",
    "RUN_END",
    "STATE",
    "TOKEN",
]
# The rest is defined here.

TASK = sa.Table(
    "task",
    STATE,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("goal", sa.Text, nullable=False),
    sa.Column("repo", sa.Text, nullable=False, index=True),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("base", sa.Text, nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("checks", sa.JSON, nullable=False),
    sa.Column("budget", sa.BigInteger, nullable=False),
    sa.Column("approvals", sa.Text, nullable=False),
    sa.Column("max_turns", sa.Integer, nullable=False),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("submitter", sa.Text, nullable=False),
    sa.Column("label", sa.Text, nullable=False, server_default=""),
    sa.Column("flow", sa.Text, nullable=False, server_default=""),
    sa.Column("policy", sa.JSON, nullable=False, server_default="{}"),
    sa.Column("limits", sa.JSON, nullable=False, server_default="{}"),
    sa.Column("network", sa.JSON, nullable=False, server_default="{}"),
    sa.Column("outfit", sa.JSON, nullable=False, server_default="{}"),
    sa.Column("cassette", sa.JSON, nullable=False, server_default="{}"),
    sa.Column("race", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("home", sa.Text, nullable=False, server_default=""),
    sa.Column("needs", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("priority", sa.Integer, nullable=False, server_default="0"),
)

RUN = sa.Table(
    "run",
    STATE,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("task", sa.Text, sa.ForeignKey("task.id"), nullable=False, index=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("before_trash", sa.Text, nullable=False, server_default=""),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("wish", sa.Text, nullable=False, server_default=""),
    sa.Column("takeover", sa.Text, nullable=False, server_default=""),
    sa.Column("handed", sa.Text, nullable=False, server_default=""),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("harness", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("sandbox", sa.Text, nullable=False),
    sa.Column("image", sa.Text, nullable=False, server_default=""),
    sa.Column("base", sa.Text, nullable=False, server_default=""),
    sa.Column("branch", sa.Text, nullable=False, server_default=""),
    sa.Column("worktree", sa.Text, nullable=False, server_default=""),
    sa.Column("snapshot", sa.Text, nullable=False, server_default=""),
    sa.Column("conversation", sa.Text, nullable=False, server_default=""),
    sa.Column("saved", sa.Text, nullable=False, server_default=""),
    sa.Column("outfitted", sa.Text, nullable=False, server_default=""),
    sa.Column("port", sa.Integer, nullable=False, server_default="0"),
    sa.Column("round", sa.Integer, nullable=False, server_default="1"),
    sa.Column("host", sa.Text, nullable=False, server_default=""),
    sa.Column("budget", sa.BigInteger, nullable=False),
    sa.Column("files", sa.Integer, nullable=False, server_default="0"),
    sa.Column("insertions", sa.Integer, nullable=False, server_default="0"),
    sa.Column("deletions", sa.Integer, nullable=False, server_default="0"),
    sa.Column("findings", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("activity", sa.Text, nullable=False, server_default=""),
    sa.Column("activity_at", sa.Float),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("started", sa.Float),
    sa.Column("ended", sa.Float),
    sa.UniqueConstraint("task", "number"),
    sa.Index("run_state_created", "state", "created"),
)

TURN = sa.Table(
    "turn",
    STATE,
    sa.Column("run", sa.Text, sa.ForeignKey("run.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("prompt", sa.Text, nullable=False),
    sa.Column("resumes", sa.Text, nullable=False, server_default=""),
    sa.Column("began", sa.Float, nullable=False),
    sa.Column("ended", sa.Float),
    sa.Column("exit_code", sa.Integer),
    sa.Column("exit_reason", sa.Text, nullable=False, server_default=""),
    sa.Column("stop_reason", sa.Text, nullable=False, server_default=""),
    sa.Column("error", sa.Text, nullable=False, server_default=""),
    sa.Column("over_budget", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("by_hand", sa.Text, nullable=False, server_default=""),
    sa.Column("snapshot", sa.Text, nullable=False, server_default=""),
    sa.Index("turn_ended", "ended"),
)

CHECK = sa.Table(
    "check_result",
    STATE,
    sa.Column("run", sa.Text, sa.ForeignKey("run.id"), primary_key=True),
    sa.Column("turn", sa.Integer, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("command", sa.Text, nullable=False),
    sa.Column("passed", sa.Boolean, nullable=False),
    sa.Column("code", sa.Integer),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("tail", sa.Text, nullable=False),
)

_UNANSWERED = sa.text("answer IS NULL")

APPROVAL = sa.Table(
    "approval",
    STATE,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("run", sa.Text, sa.ForeignKey("run.id"), nullable=False, index=True),
    sa.Column("turn", sa.Integer, nullable=False),
    sa.Column("request", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("tool", sa.Text, nullable=False, server_default=""),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("paths", sa.JSON, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("opened", sa.Float, nullable=False),
    sa.Column("answer", sa.Text),
    sa.Column("by", sa.Text, nullable=False, server_default=""),
    sa.Column("answered", sa.Float),
    sa.Column("note", sa.Text, nullable=False, server_default=""),
    sa.Column("scope", sa.Text, nullable=False, server_default="once"),
    sa.Column("heard", sa.Float),
    sa.Column("deadline", sa.Float),
    sa.UniqueConstraint("run", "turn", "request"),
    sa.Index(
        "approval_unanswered", "opened", sqlite_where=_UNANSWERED, postgresql_where=_UNANSWERED
    ),
)

TELL = sa.Table(
    "tell",
    STATE,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("run", sa.Text, sa.ForeignKey("run.id"), nullable=False, index=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("taken", sa.Float),
)

RUN_KEY = sa.Table(
    "run_key",
    STATE,
    sa.Column("run", sa.Text, sa.ForeignKey("run.id"), primary_key=True),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("dialect", sa.Text, nullable=False),
    sa.Column("revoked", sa.Float),
)
"""The run's own key for the gateway. Worth no more than the run's budget, and only on the run's own socket."""

HOLD = sa.Table(
    "hold",
    STATE,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("run", sa.Text, sa.ForeignKey("run.id"), nullable=False, index=True),
    sa.Column("micros", sa.BigInteger, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("opened", sa.Float, nullable=False),
    sa.Column("settled", sa.Float),
    sa.Column("tokens", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("turn", sa.Integer, nullable=False, server_default="0"),
    sa.Column("lane", sa.Text, nullable=False, server_default=""),
    sa.Column("tallies", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("host", sa.Text, nullable=False, server_default=""),
    sa.Column("deadline", sa.Float, nullable=False, server_default="0"),
)
"""A reservation against the budgets in `tallies`. Open while `settled` is null; it survives a crash.

Its host charges it when that supervisor starts again, any other one only when the deadline has passed.
"""

SPEND = sa.Table(
    "spend",
    STATE,
    sa.Column("hold", sa.Text, sa.ForeignKey("hold.id"), primary_key=True),
    sa.Column("run", sa.Text, sa.ForeignKey("run.id"), nullable=False, index=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("micros", sa.BigInteger, nullable=False),
    sa.Column("input", sa.BigInteger, nullable=False),
    sa.Column("output", sa.BigInteger, nullable=False),
    sa.Column("cache_read", sa.BigInteger, nullable=False),
    sa.Column("cache_write", sa.BigInteger, nullable=False),
    sa.Column("known", sa.Text, nullable=False),
    sa.Column("prices", sa.Text, nullable=False),
    sa.Column("cache_write_long", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("seconds", sa.Float, nullable=False, server_default="0"),
    sa.Column("day", sa.Text, nullable=False, server_default="", index=True),
    sa.Column("task", sa.Text, nullable=False, server_default=""),
    sa.Column("turn", sa.Integer, nullable=False, server_default="0"),
    sa.Column("agent", sa.Text, nullable=False, server_default=""),
    sa.Column("repo", sa.Text, nullable=False, server_default=""),
    sa.Column("user", sa.Text, nullable=False, server_default=""),
    sa.Column("label", sa.Text, nullable=False, server_default=""),
    sa.Column("lane", sa.Text, nullable=False, server_default=""),
    sa.Column("flow", sa.Text, nullable=False, server_default=""),
    sa.Column("rates", sa.JSON, nullable=False, server_default="[]"),
)
"""The ledger: what a call cost, how that is known, by which price data, and all it is filed under.

`day` is the day of UTC whose budget it was held against; `lane` the sub-agent that made the call, empty for the
agent itself.
"""

TALLY = sa.Table(
    "tally",
    STATE,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("spent", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("held", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("tokens", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("tokens_held", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("raised", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("tokens_raised", sa.BigInteger, nullable=False, server_default="0"),
)
"""Sums of the ledger and of the open holds, one for each thing that can have a budget: `app.domain.budget.Cap`."""

WARNING = sa.Table(
    "warning",
    STATE,
    sa.Column("tally", sa.Text, primary_key=True),
    sa.Column("percent", sa.Integer, primary_key=True),
    sa.Column("run", sa.Text, sa.ForeignKey("run.id"), nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("of", sa.Text, nullable=False),
    sa.Column("spent", sa.BigInteger, nullable=False),
    sa.Column("cap", sa.BigInteger, nullable=False),
    sa.Column("unit", sa.Text, nullable=False, server_default="money"),
)
"""Each threshold that a budget has passed, once; `run` is the one whose call passed it."""

REST = sa.Table(
    "rest",
    STATE,
    sa.Column("run", sa.Text, sa.ForeignKey("run.id"), primary_key=True),
    sa.Column("until", sa.Float, nullable=False, index=True),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("upstream", sa.Text, nullable=False, server_default=""),
)
"""Runs that go on by themselves at a time, on the host that has their sandbox; those with an `upstream` once that
model API answers.
"""

RAISE = sa.Table(
    "raise",
    STATE,
    sa.Column("approval", sa.Text, sa.ForeignKey("approval.id"), primary_key=True),
    sa.Column("tally", sa.Text, nullable=False),
    sa.Column("of", sa.Text, nullable=False),
    sa.Column("micros", sa.BigInteger, nullable=False),
    sa.Column("tokens", sa.BigInteger, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False, server_default="0"),
    sa.Column("seconds_given", sa.Float, nullable=False, server_default="0"),
)
"""How much more a question asks for, and of which budget; money and tokens that were given stand elsewhere."""

REFUSAL = sa.Table(
    "refusal",
    STATE,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("run", sa.Text, sa.ForeignKey("run.id"), nullable=False, index=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("budget", sa.Boolean, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
)

NETWORK = sa.Table(
    "network",
    STATE,
    sa.Column("run", sa.Text, sa.ForeignKey("run.id"), primary_key=True),
    sa.Column("host", sa.Text, primary_key=True),
    sa.Column("why", sa.Text, primary_key=True),
    sa.Column("times", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("sent", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("received", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("first", sa.Float, nullable=False),
    sa.Column("last", sa.Float, nullable=False),
)
"""What runs asked of the network besides models. `why` is empty for what was let through."""

GRANT = sa.Table(
    "network_grant",
    STATE,
    sa.Column("run", sa.Text, sa.ForeignKey("run.id"), primary_key=True),
    sa.Column("host", sa.Text, primary_key=True),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
)
"""Hosts that a person allowed for one run while it was under way."""

TOUCHED = sa.Table(
    "touched",
    STATE,
    sa.Column("run", sa.Text, sa.ForeignKey("run.id"), primary_key=True),
    sa.Column("paths", sa.JSON, nullable=False),
)
"""The files that a run's newest snapshot changes. Not in `run`: those rows are read and written all the time."""

APPROVED_IMAGE = sa.Table(
    "approved_image",
    STATE,
    sa.Column("repo", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
)
"""Images that a person approved for a repository, by the digest of all that goes into them."""

AUDIT = sa.Table(
    "audit",
    STATE,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("run", sa.Text, index=True),
    sa.Column("detail", sa.JSON, nullable=False),
)
"""Who decided what, about which exact content. Rows are only ever added."""

EVENT = sa.Table(
    "event",
    LOG,
    sa.Column(
        "seq",
        sa.BigInteger().with_variant(sa.Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    sa.Column("run", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.UniqueConstraint("run", "key"),
    sa.Index("event_run_seq", "run", "seq"),
    sqlite_autoincrement=True,
)
"""`key` is the same each time a source is read again, so that a re-read adds nothing."""
