"""The journal's tables, and how its file is opened."""

import sqlite3
from pathlib import Path

from gateway.errors import JournalError

VERSION = 3
_CHECKPOINT_PAGES = 8192
"""32 MB: at SQLite's default of 1,000 pages every large batch would wait for two more fsyncs."""

_TABLES = """
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
-- The gateway's starts, stops and connections are few: found without reading all messages.
CREATE INDEX entry_run ON entry (time_ms) WHERE kind = 'run';
-- Salt and body are beside the log and can be erased; the leaf never.
CREATE TABLE body (entry INTEGER PRIMARY KEY, salt BLOB NOT NULL, body BLOB NOT NULL);
CREATE TABLE message (
  entry INTEGER PRIMARY KEY,
  device TEXT NOT NULL,
  era TEXT, boot INTEGER, seq INTEGER,  -- null where unreadable
  hash BLOB NOT NULL,            -- SHA-256(OBJECT)
  prev TEXT,                     -- null where unreadable
  fork INTEGER NOT NULL
);
CREATE INDEX message_identity ON message (device, era, boot, seq);
CREATE INDEX message_prev ON message (device, prev);
-- The same OBJECT has the same identity, so the hash is needed only where there is no identity, or
-- where the gateway made it, for a third-party message.
CREATE UNIQUE INDEX message_object ON message (device, hash) WHERE boot IS NULL OR era = 'unsigned';
-- The newest messages, before many rows are inserted into message at once (pending_index).
CREATE TABLE unfiled (
  entry INTEGER PRIMARY KEY, device TEXT NOT NULL, era TEXT, boot INTEGER, seq INTEGER,
  hash BLOB NOT NULL, prev TEXT, fork INTEGER NOT NULL
);
CREATE TABLE era (
  device TEXT NOT NULL, era TEXT NOT NULL,
  first INTEGER NOT NULL,        -- entry of the message first received
  heard INTEGER NOT NULL,        -- grows with every message, duplicates too
  newest_boot INTEGER NOT NULL, newest_seq INTEGER NOT NULL,
  line_boot INTEGER NOT NULL, line_seq INTEGER NOT NULL, line_h TEXT NOT NULL,
  old_boot INTEGER NOT NULL, old_seq INTEGER NOT NULL,
  loose INTEGER NOT NULL,        -- its messages that are not linked on the line
  root TEXT NOT NULL,            -- prev of the message that the line began with
  PRIMARY KEY (device, era)
) WITHOUT ROWID;
CREATE TABLE frontier (one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL, nodes BLOB);
-- Facts come from another database: their keys make journaling them repeatable.
CREATE TABLE fact_key (key TEXT PRIMARY KEY, entry INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE quarantine (
  id INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, reason TEXT NOT NULL,
  topic TEXT NOT NULL, payload BLOB NOT NULL
);
-- Logs that ended because the journal was restored from a backup.
CREATE TABLE former_log (
  origin TEXT PRIMARY KEY,
  size INTEGER NOT NULL,         -- leaves in this journal, in entries before the next log's
  shown INTEGER NOT NULL         -- leaves that others may have seen
) WITHOUT ROWID;
-- The log's frontier after an entry: the check at the start begins at one of them.
CREATE TABLE milestone (
  entry INTEGER PRIMARY KEY, size INTEGER NOT NULL, nodes BLOB NOT NULL
);
-- The archive's files of message bodies. Bodies of entries up to removed are only there.
CREATE TABLE segment (
  first INTEGER PRIMARY KEY, last INTEGER NOT NULL, removed INTEGER NOT NULL,
  name TEXT NOT NULL, digest BLOB NOT NULL, bytes INTEGER NOT NULL,
  log TEXT NOT NULL, size INTEGER NOT NULL, nodes BLOB NOT NULL  -- frontier after last
);
INSERT INTO frontier VALUES (1, 0, x'');
"""


def open_for_writing(path: Path) -> sqlite3.Connection:
    """The connection of the only writer; creates the file. Raises JournalError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        connection = sqlite3.connect(path, isolation_level=None, timeout=30.0)
        path.chmod(0o600)
        # Has an effect on a new file only.
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
        version = _version(connection)
        if version == 0:
            connection.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {VERSION}; COMMIT;")
    except sqlite3.DatabaseError as error:
        raise JournalError(f"{path} cannot be opened as a journal: {error}") from error
    if version not in (0, VERSION):
        connection.close()
        raise _wrong_format(path, version)
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A reader's connection, which cannot write. Raises JournalError."""
    if not path.is_file():
        raise JournalError(f"no journal at {path}: start the gateway once, it makes one")
    try:
        # Not mode=ro: a reader of a WAL file must be able to make its -shm file.
        connection = sqlite3.connect(path, isolation_level=None, timeout=30.0)
        connection.execute("PRAGMA query_only=ON")
        version = _version(connection)
    except sqlite3.DatabaseError as error:
        raise JournalError(f"{path} cannot be read as a journal: {error}") from error
    if version != VERSION:
        connection.close()
        raise _wrong_format(path, version)
    return connection


def _version(connection: sqlite3.Connection) -> int:
    return connection.execute("PRAGMA user_version").fetchone()[0]


def _wrong_format(path: Path, version: int) -> JournalError:
    if version == 0:
        return JournalError(f"{path} is empty: start the gateway once, it makes the tables")
    remedy = "use the newer program" if version > VERSION else "no release wrote it"
    return JournalError(f"{path} has format {version}; this program uses {VERSION}: {remedy}")
