"""The journal's tables and how its file is opened."""

import sqlite3
from pathlib import Path

from gateway.errors import JournalError

VERSION = 3
_CHECKPOINT_PAGES = 8192
"""32 MB: at SQLite's 1,000 every large batch would wait for two more fsyncs."""

_UNFILED = """
-- The newest messages, before they are filed under their indexes many at once: each index is read
-- and written at a device's own place, which for one message costs more than all the rest.
CREATE TABLE unfiled (
  entry INTEGER PRIMARY KEY, device TEXT NOT NULL, era TEXT, boot INTEGER, seq INTEGER,
  hash BLOB NOT NULL, prev TEXT, fork INTEGER NOT NULL
);
"""

_TABLES = (
    _UNFILED
    + """
CREATE TABLE entry (
  id INTEGER PRIMARY KEY,        -- leaf index + 1, without gaps
  time_ms INTEGER NOT NULL,      -- gateway time, Unix ms; never decreases
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  leaf BLOB NOT NULL,            -- the leaf's exact text
  verdict TEXT,                  -- messages: stored late fork flagged
  flag TEXT,
  auth TEXT,
  newest INTEGER NOT NULL DEFAULT 0
);
-- Salt and body lie beside the log and can be erased; the leaf never.
CREATE TABLE body (entry INTEGER PRIMARY KEY, salt BLOB NOT NULL, body BLOB NOT NULL);
CREATE TABLE message (
  entry INTEGER PRIMARY KEY,
  device TEXT NOT NULL,
  era TEXT, boot INTEGER, seq INTEGER,  -- null where they cannot be read
  hash BLOB NOT NULL,            -- SHA-256(OBJECT)
  prev TEXT,                     -- null where it cannot be read
  fork INTEGER NOT NULL
);
CREATE INDEX message_identity ON message (device, era, boot, seq);
CREATE INDEX message_prev ON message (device, prev);
-- The same OBJECT has the same identity: only without one is it known by its hash, and where the
-- identity was made here, of what a third party sent.
CREATE UNIQUE INDEX message_object ON message (device, hash) WHERE boot IS NULL OR era = 'unsigned';
CREATE TABLE era (
  device TEXT NOT NULL, era TEXT NOT NULL,
  first INTEGER NOT NULL,        -- entry of the message first received
  heard INTEGER NOT NULL,        -- grows with every message, duplicates too
  newest_boot INTEGER NOT NULL, newest_seq INTEGER NOT NULL,
  line_boot INTEGER NOT NULL, line_seq INTEGER NOT NULL, line_h TEXT NOT NULL,
  old_boot INTEGER NOT NULL, old_seq INTEGER NOT NULL,
  loose INTEGER NOT NULL,        -- its messages that do not stand linked on the line
  root TEXT NOT NULL,            -- prev of the message that the line began with
  PRIMARY KEY (device, era)
) WITHOUT ROWID;
CREATE TABLE key_generation (device TEXT PRIMARY KEY, newest INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE frontier (one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL, nodes BLOB);
-- Facts come from another database: their keys make journaling them repeatable.
CREATE TABLE fact_key (key TEXT PRIMARY KEY, entry INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE quarantine (
  id INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, reason TEXT NOT NULL,
  topic TEXT NOT NULL, payload BLOB NOT NULL
);
INSERT INTO frontier VALUES (1, 0, x'');
"""
)

# Our own starts, stops and connections are few: found without reading past the messages.
_RUNS = "CREATE INDEX IF NOT EXISTS entry_run ON entry (time_ms) WHERE kind = 'run'"
_FROM_1 = """
DROP INDEX message_object;
CREATE UNIQUE INDEX message_object ON message (device, hash) WHERE boot IS NULL OR era = 'unsigned';
"""
# Of the eras so far nobody counted what is loose: their devices are looked up as before.
_FROM_2 = """
ALTER TABLE era ADD COLUMN loose INTEGER NOT NULL DEFAULT 1;
ALTER TABLE era ADD COLUMN root TEXT NOT NULL DEFAULT '';
"""
_STEPS = {1: _UNFILED + _FROM_1 + _FROM_2, 2: _UNFILED + _FROM_2}

_ADDED = """
-- Logs that ended because the journal was restored. What anybody may have seen of one: shown.
CREATE TABLE IF NOT EXISTS former_log (
  origin TEXT PRIMARY KEY,
  size INTEGER NOT NULL,         -- leaves held here, in entries before the next log's
  shown INTEGER NOT NULL
) WITHOUT ROWID;
-- The log's frontier as it stood behind an entry: a start verifies from one of them on.
CREATE TABLE IF NOT EXISTS milestone (
  entry INTEGER PRIMARY KEY, size INTEGER NOT NULL, nodes BLOB NOT NULL
);
-- Whose messages' bodies lie in a file of the folder archive. Of entries up to removed, only there.
CREATE TABLE IF NOT EXISTS segment (
  first INTEGER PRIMARY KEY, last INTEGER NOT NULL, removed INTEGER NOT NULL,
  name TEXT NOT NULL, digest BLOB NOT NULL, bytes INTEGER NOT NULL,
  log TEXT NOT NULL, size INTEGER NOT NULL, nodes BLOB NOT NULL  -- frontier after last
);
"""


def open_for_writing(path: Path) -> sqlite3.Connection:
    """The one writer's connection; makes the file. Raises JournalError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        connection = sqlite3.connect(
            path, isolation_level=None, timeout=30.0, check_same_thread=False
        )
        path.chmod(0o600)
        # Of a file that is made now; an older one is given it by archiving.vacuum.
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
        _migrate(connection, path)
        connection.execute(_RUNS)
        connection.executescript(_ADDED)
    except sqlite3.DatabaseError as error:
        raise JournalError(f"{path} cannot be opened as a journal: {error}") from error
    return connection


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == VERSION:
        return
    if version in _STEPS:
        steps = _STEPS[version]
        connection.executescript(f"BEGIN; {steps} PRAGMA user_version = {VERSION}; COMMIT;")
        return
    if version != 0:
        raise JournalError(
            f"{path} has format {version}; this program writes {VERSION}: use the newer program"
        )
    connection.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {VERSION}; COMMIT;")


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A reader's connection, which cannot write. Raises JournalError."""
    if not path.is_file():
        raise JournalError(f"no journal at {path}: start the gateway once, it makes one")
    try:
        # Not mode=ro: a reader of a WAL file must be able to make its -shm file.
        connection = sqlite3.connect(path, isolation_level=None, timeout=30.0)
        connection.execute("PRAGMA query_only=ON")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.DatabaseError as error:
        raise JournalError(f"{path} cannot be read as a journal: {error}") from error
    if version != VERSION:
        connection.close()
        remedy = "start the gateway once" if version < VERSION else "use the newer program"
        raise JournalError(f"{path} has format {version}; this program reads {VERSION}: {remedy}")
    return connection
