CREATE TABLE task (
	id TEXT NOT NULL, 
	goal TEXT NOT NULL, 
	repo TEXT NOT NULL, 
	target TEXT NOT NULL, 
	base TEXT NOT NULL, 
	agent TEXT NOT NULL, 
	checks JSON NOT NULL, 
	budget BIGINT NOT NULL, 
	approvals TEXT NOT NULL, 
	max_turns INTEGER NOT NULL, 
	created FLOAT NOT NULL, 
	submitter TEXT NOT NULL, 
	PRIMARY KEY (id)
);

CREATE INDEX ix_task_repo ON task (repo);

CREATE TABLE audit (
	number INTEGER NOT NULL, 
	"key" TEXT NOT NULL, 
	at FLOAT NOT NULL, 
	actor TEXT NOT NULL, 
	what TEXT NOT NULL, 
	run TEXT, 
	detail JSON NOT NULL, 
	PRIMARY KEY (number), 
	UNIQUE ("key")
);

CREATE INDEX ix_audit_run ON audit (run);

CREATE TABLE run (
	id TEXT NOT NULL, 
	task TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	state TEXT NOT NULL, 
	before_trash TEXT DEFAULT '' NOT NULL, 
	reason TEXT DEFAULT '' NOT NULL, 
	wish TEXT DEFAULT '' NOT NULL, 
	agent TEXT NOT NULL, 
	harness TEXT NOT NULL, 
	model TEXT NOT NULL, 
	sandbox TEXT NOT NULL, 
	image TEXT DEFAULT '' NOT NULL, 
	base TEXT DEFAULT '' NOT NULL, 
	branch TEXT DEFAULT '' NOT NULL, 
	worktree TEXT DEFAULT '' NOT NULL, 
	snapshot TEXT DEFAULT '' NOT NULL, 
	conversation TEXT DEFAULT '' NOT NULL, 
	round INTEGER DEFAULT '1' NOT NULL, 
	budget BIGINT NOT NULL, 
	files INTEGER DEFAULT '0' NOT NULL, 
	insertions INTEGER DEFAULT '0' NOT NULL, 
	deletions INTEGER DEFAULT '0' NOT NULL, 
	findings JSON DEFAULT '[]' NOT NULL, 
	activity TEXT DEFAULT '' NOT NULL, 
	activity_at FLOAT, 
	created FLOAT NOT NULL, 
	started FLOAT, 
	ended FLOAT, 
	PRIMARY KEY (id), 
	UNIQUE (task, number), 
	FOREIGN KEY(task) REFERENCES task (id)
);

CREATE INDEX ix_run_state ON run (state);

CREATE INDEX ix_run_task ON run (task);

CREATE TABLE turn (
	run TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	round INTEGER NOT NULL, 
	prompt TEXT NOT NULL, 
	resumes TEXT DEFAULT '' NOT NULL, 
	began FLOAT NOT NULL, 
	ended FLOAT, 
	exit_code INTEGER, 
	exit_reason TEXT DEFAULT '' NOT NULL, 
	stop_reason TEXT DEFAULT '' NOT NULL, 
	error TEXT DEFAULT '' NOT NULL, 
	over_budget BOOLEAN DEFAULT 0 NOT NULL, 
	PRIMARY KEY (run, number), 
	FOREIGN KEY(run) REFERENCES run (id)
);

CREATE TABLE check_result (
	run TEXT NOT NULL, 
	turn INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	command TEXT NOT NULL, 
	passed BOOLEAN NOT NULL, 
	code INTEGER, 
	seconds FLOAT NOT NULL, 
	tail TEXT NOT NULL, 
	PRIMARY KEY (run, turn, number), 
	FOREIGN KEY(run) REFERENCES run (id)
);

CREATE TABLE approval (
	id TEXT NOT NULL, 
	run TEXT NOT NULL, 
	turn INTEGER NOT NULL, 
	request TEXT NOT NULL, 
	title TEXT NOT NULL, 
	action TEXT NOT NULL, 
	detail TEXT NOT NULL, 
	paths JSON NOT NULL, 
	reason TEXT NOT NULL, 
	opened FLOAT NOT NULL, 
	answer TEXT, 
	"by" TEXT DEFAULT '' NOT NULL, 
	answered FLOAT, 
	note TEXT DEFAULT '' NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (run, turn, request), 
	FOREIGN KEY(run) REFERENCES run (id)
);

CREATE INDEX ix_approval_run ON approval (run);

CREATE TABLE review (
	id TEXT NOT NULL, 
	run TEXT NOT NULL, 
	round INTEGER NOT NULL, 
	base TEXT NOT NULL, 
	snapshot TEXT NOT NULL, 
	target TEXT NOT NULL, 
	tip TEXT NOT NULL, 
	result_tree TEXT NOT NULL, 
	conflicts JSON NOT NULL, 
	files JSON NOT NULL, 
	findings JSON NOT NULL, 
	checks JSON NOT NULL, 
	opened FLOAT NOT NULL, 
	verdict TEXT, 
	"by" TEXT DEFAULT '' NOT NULL, 
	decided FLOAT, 
	note TEXT DEFAULT '' NOT NULL, 
	merged TEXT DEFAULT '' NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(run) REFERENCES run (id)
);

CREATE INDEX ix_review_run ON review (run);

CREATE TABLE comment (
	run TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	path TEXT NOT NULL, 
	line INTEGER NOT NULL, 
	text TEXT NOT NULL, 
	"by" TEXT NOT NULL, 
	at FLOAT NOT NULL, 
	sent BOOLEAN DEFAULT 0 NOT NULL, 
	PRIMARY KEY (run, number), 
	FOREIGN KEY(run) REFERENCES run (id)
);

CREATE TABLE run_key (
	run TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	dialect TEXT NOT NULL, 
	revoked FLOAT, 
	PRIMARY KEY (run), 
	FOREIGN KEY(run) REFERENCES run (id)
);

CREATE TABLE hold (
	id TEXT NOT NULL, 
	run TEXT NOT NULL, 
	micros BIGINT NOT NULL, 
	model TEXT NOT NULL, 
	opened FLOAT NOT NULL, 
	settled FLOAT, 
	PRIMARY KEY (id), 
	FOREIGN KEY(run) REFERENCES run (id)
);

CREATE INDEX ix_hold_run ON hold (run);

CREATE TABLE refusal (
	number INTEGER NOT NULL, 
	run TEXT NOT NULL, 
	at FLOAT NOT NULL, 
	status INTEGER NOT NULL, 
	budget BOOLEAN NOT NULL, 
	why TEXT NOT NULL, 
	PRIMARY KEY (number), 
	FOREIGN KEY(run) REFERENCES run (id)
);

CREATE INDEX ix_refusal_run ON refusal (run);

CREATE TABLE spend (
	hold TEXT NOT NULL, 
	run TEXT NOT NULL, 
	at FLOAT NOT NULL, 
	model TEXT NOT NULL, 
	micros BIGINT NOT NULL, 
	input BIGINT NOT NULL, 
	output BIGINT NOT NULL, 
	cache_read BIGINT NOT NULL, 
	cache_write BIGINT NOT NULL, 
	known TEXT NOT NULL, 
	prices TEXT NOT NULL, 
	PRIMARY KEY (hold), 
	FOREIGN KEY(hold) REFERENCES hold (id), 
	FOREIGN KEY(run) REFERENCES run (id)
);

CREATE INDEX ix_spend_run ON spend (run);

