package sqlite

// applicationID marks a file as newswatch's in its header ("nwdb"), so that
// another program's database is refused and not written into.
const applicationID = 0x6e776462

// migrations take a file from one schema version, their index, to the next. One
// that was released is never edited: files out there have gone through it.
//
// Times are milliseconds since 1970; a null one is "never". Tables with wide
// rows are rowid tables with a unique id, because WITHOUT ROWID keeps whole rows
// in the tree that is searched.
var migrations = []string{`
CREATE TABLE meta (
	key   TEXT PRIMARY KEY,
	value INTEGER NOT NULL
) STRICT;
INSERT INTO meta VALUES ('head', 0), ('token', 0);

CREATE TABLE feeds (
	n        INTEGER PRIMARY KEY,
	id       TEXT NOT NULL UNIQUE,
	next     INTEGER,                    -- the next check; null until PollNow
	asked    INTEGER,                    -- PollNow came during the lease
	until    INTEGER,                    -- the end of the lease; null without one
	token    INTEGER NOT NULL DEFAULT 0, -- of the newest lease
	recorded INTEGER NOT NULL DEFAULT 0, -- the token of the last Record
	rec_from INTEGER NOT NULL DEFAULT 0, -- what it put into the log: from < seq <= to
	rec_to   INTEGER NOT NULL DEFAULT 0,
	marked   INTEGER NOT NULL DEFAULT 0, -- MarkParsing
	poisoned INTEGER NOT NULL DEFAULT 0,
	left_at  INTEGER,                    -- when it left the queue; null inside
	paused   INTEGER,                    -- since when it is; null when it is not
	grade    INTEGER NOT NULL DEFAULT 0, -- of state
	success  INTEGER,                    -- the last good poll, of state; before it, so that to count reads no state
	state    BLOB NOT NULL,
	due      INTEGER AS (CASE WHEN left_at IS NULL AND paused IS NULL THEN coalesce(until, next) END) VIRTUAL,
	-- What does not go without saying: 1 is fetcher.Fine, 2 fetcher.Paused.
	remark   INTEGER AS (CASE WHEN left_at IS NOT NULL THEN NULL WHEN paused IS NOT NULL THEN 2 ELSE nullif(grade, 1) END) VIRTUAL
) STRICT;
CREATE INDEX feeds_due ON feeds (due, id) WHERE due IS NOT NULL;
CREATE INDEX feeds_remark ON feeds (remark, id) WHERE remark IS NOT NULL;
CREATE INDEX feeds_left ON feeds (left_at) WHERE left_at IS NOT NULL;

-- Apart from feeds, so that a claim or a poll without news rewrites no ids.
CREATE TABLE seen (
	feed   INTEGER PRIMARY KEY REFERENCES feeds (n) ON DELETE CASCADE,
	ids    BLOB NOT NULL,
	count  INTEGER NOT NULL,
	oldest INTEGER                       -- when the longest gone id was; null when all are listed
) STRICT;
CREATE INDEX seen_oldest ON seen (oldest, count);

CREATE TABLE purged (
	feed TEXT NOT NULL,
	id   BLOB NOT NULL,
	at   INTEGER NOT NULL,
	PRIMARY KEY (feed, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE items (
	n      INTEGER PRIMARY KEY,
	id     BLOB NOT NULL UNIQUE,
	stored INTEGER NOT NULL,
	body   BLOB NOT NULL
) STRICT;
CREATE INDEX items_stored ON items (stored, id);

CREATE TABLE hits (
	n     INTEGER PRIMARY KEY,
	id    BLOB NOT NULL UNIQUE,
	feed  TEXT NOT NULL,
	found INTEGER NOT NULL,
	quiet INTEGER NOT NULL,
	-- What HitQuery asks for, in the forms in which it compares.
	words    TEXT NOT NULL,
	tags     TEXT NOT NULL,              -- with a line feed before and after each
	outlet   TEXT NOT NULL,
	lang     TEXT NOT NULL,              -- with a hyphen at its end
	severity INTEGER NOT NULL,
	body  BLOB NOT NULL
) STRICT;
CREATE INDEX hits_found ON hits (found, id);

CREATE TABLE hit_rules (
	hit  INTEGER NOT NULL REFERENCES hits (n) ON DELETE CASCADE,
	rule TEXT NOT NULL,
	seq  INTEGER,                        -- the place in the log; null when not reported
	PRIMARY KEY (hit, rule)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX hit_log ON hit_rules (seq) WHERE seq IS NOT NULL;

CREATE TABLE notices (
	seq     INTEGER PRIMARY KEY,         -- the place in the log
	id      TEXT NOT NULL UNIQUE,
	at      INTEGER NOT NULL,
	kind    TEXT NOT NULL,
	subject TEXT NOT NULL,
	text    TEXT NOT NULL
) STRICT;
CREATE INDEX notices_at ON notices (at);

CREATE TABLE subscribers (
	n          INTEGER PRIMARY KEY,
	id         TEXT NOT NULL UNIQUE,
	schedule   TEXT NOT NULL,
	cursor     INTEGER NOT NULL,
	since      INTEGER NOT NULL,
	next       INTEGER NOT NULL,
	asked      INTEGER,
	until      INTEGER,
	token      INTEGER NOT NULL DEFAULT 0,
	ended      INTEGER NOT NULL DEFAULT 0, -- the token of the last turn that ended
	left_at    INTEGER,
	pending    BLOB,
	pending_id TEXT NOT NULL DEFAULT '',
	attempts   INTEGER NOT NULL DEFAULT 0,
	first_try  INTEGER,
	last_error TEXT NOT NULL DEFAULT '',
	last_sent  INTEGER,
	paused_at  INTEGER,                    -- null unless paused
	paused_by  TEXT NOT NULL DEFAULT '',
	paused_why TEXT NOT NULL DEFAULT '',
	refusals   INTEGER NOT NULL DEFAULT 0, -- digests on end that were refused for good
	due        INTEGER AS (CASE WHEN left_at IS NULL AND paused_at IS NULL THEN coalesce(until, next) END) VIRTUAL
) STRICT;
CREATE INDEX subscribers_due ON subscribers (due, id) WHERE due IS NOT NULL;

CREATE TABLE letters (
	n          INTEGER PRIMARY KEY AUTOINCREMENT,
	id         TEXT NOT NULL UNIQUE,
	subscriber TEXT NOT NULL,
	digest     BLOB NOT NULL,
	reason     TEXT NOT NULL,
	attempts   INTEGER NOT NULL,
	buried     INTEGER NOT NULL,
	resend     INTEGER                     -- since when it waits to be sent again
) STRICT;
CREATE INDEX letters_resend ON letters (subscriber, resend) WHERE resend IS NOT NULL;
CREATE INDEX letters_buried ON letters (buried);

CREATE TABLE deliveries (
	n          INTEGER PRIMARY KEY AUTOINCREMENT,
	digest     TEXT NOT NULL,
	subscriber TEXT NOT NULL,
	entries    INTEGER NOT NULL,
	hits       INTEGER NOT NULL,
	attempts   INTEGER NOT NULL,
	accepted   INTEGER NOT NULL
) STRICT;
CREATE INDEX deliveries_accepted ON deliveries (accepted);
CREATE INDEX deliveries_subscriber ON deliveries (subscriber, accepted);

CREATE TABLE readers (
	n       INTEGER PRIMARY KEY,
	id      TEXT NOT NULL UNIQUE,
	contact BLOB NOT NULL UNIQUE,
	letter  INTEGER,                     -- when a letter may be claimed; null when none is owed
	expires INTEGER,                     -- null for never
	body    BLOB NOT NULL
) STRICT;
CREATE INDEX readers_letter ON readers (letter, id) WHERE letter IS NOT NULL;
CREATE INDEX readers_expires ON readers (expires) WHERE expires IS NOT NULL;

CREATE TABLE signing (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	key BLOB NOT NULL
) STRICT;
`, `
CREATE TABLE amendments (
	seq  INTEGER PRIMARY KEY,            -- the place in the log
	item BLOB NOT NULL,
	at   INTEGER NOT NULL,
	body BLOB NOT NULL
) STRICT;
CREATE INDEX amendments_item ON amendments (item);
CREATE INDEX amendments_at ON amendments (at);

-- Where the log of a subscriber begins.
ALTER TABLE subscribers ADD COLUMN begin INTEGER NOT NULL DEFAULT 0;
`, `
-- From here on states may be in a form that was unknown before.
`, `
-- Leases are apart from feeds. There are as many as polls are under way, so that a claim
-- writes to a page or two, and not to those of all the feeds that it takes.
CREATE TABLE leases (
	feed   INTEGER PRIMARY KEY REFERENCES feeds (n) ON DELETE CASCADE,
	token  INTEGER NOT NULL,
	until  INTEGER NOT NULL,
	asked  INTEGER,                      -- PollNow came meanwhile
	marked INTEGER NOT NULL DEFAULT 0    -- MarkParsing
) STRICT;
INSERT INTO leases SELECT n, token, until, asked, marked FROM feeds WHERE until IS NOT NULL;

DROP INDEX feeds_due;
ALTER TABLE feeds DROP COLUMN due;
ALTER TABLE feeds DROP COLUMN asked;
ALTER TABLE feeds DROP COLUMN until;
ALTER TABLE feeds DROP COLUMN token;
ALTER TABLE feeds DROP COLUMN marked;
ALTER TABLE feeds ADD COLUMN due INTEGER AS (CASE WHEN left_at IS NULL AND paused IS NULL THEN next END) VIRTUAL;
CREATE INDEX feeds_due ON feeds (due, id) WHERE due IS NOT NULL;
`}
