"""The tables as they stand after the last migration; a test compares them with what the migrations make."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, Index, Integer, LargeBinary, MetaData, String, Table

metadata = MetaData()

bindings = Table(
    "binding",
    metadata,
    Column("user", String, primary_key=True),
    Column("contact", String, primary_key=True),
    Column("expires_at", Float, nullable=False),
    Column("call_id", String, nullable=False),
    Column("cseq", Integer, nullable=False),
    Column("transport", String, nullable=False),
    Column("host", String, nullable=False),
    Column("port", Integer, nullable=False),
    Column("q", Float, nullable=False),
    Column("path", JSON, nullable=False),
    Column("params", String, nullable=False),
    Column("instance", String, nullable=False),
    Column("user_agent", String, nullable=False),
)

# One row for an administrator's and one for the person's own selection; those of calendars are not stored.
selections = Table(
    "selection",
    metadata,
    Column("person", String, primary_key=True),
    Column("by", String, primary_key=True),
    Column("profile", String, nullable=False),
    Column("since", Float, nullable=False),
    Column("until", Float, nullable=True),
    Column("forward", String, nullable=False),
    Column("actor", String, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),  # the order of entries of one moment
    Column("at", Float, nullable=False),
    Column("actor", String, nullable=False),
    Column("action", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("before", String, nullable=False),
    Column("after", String, nullable=False),
    Index("audit_by_time", "at"),
    Index("audit_by_subject", "subject", "at"),
)

# `texts` are those of all files, packed by `configuration.texts`. A configuration that comes back has another row.
configurations = Table(
    "configuration",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("hash", String, nullable=False),
    Column("loaded_at", Float, nullable=False),
    Column("actor", String, nullable=False),
    Column("texts", LargeBinary, nullable=False),
    Index("configuration_by_hash", "hash"),
)

# A draft has the state "draft" and no kind yet. Its sound lies below the data directory, under its id.
messages = Table(
    "message",
    metadata,
    Column("id", String, primary_key=True),
    Column("mailbox", String, nullable=False),
    Column("caller", String, nullable=True),
    Column("caller_name", String, nullable=True),
    Column("received_at", Float, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("kind", String, nullable=False),
    Column("state", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("has_sound", Boolean, nullable=False),
    Index("message_by_mailbox", "mailbox", "received_at"),
    Index("message_by_caller", "caller"),
    Index("message_by_time", "received_at"),
)

# E-mails that are still to be handed in. Each goes with its message.
mails = Table(
    "mail",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("message", String, nullable=False),
    Column("recipient", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Float, nullable=False),
    Index("mail_by_message", "message"),
    Index("mail_by_time", "due_at"),
)

# Those who are still to be called back; the order of equal moments is that of the ids.
callbacks = Table(
    "callback",
    metadata,
    Column("id", String, primary_key=True),
    Column("person", String, nullable=False),
    Column("number", String, nullable=False),
    Column("caller_name", String, nullable=True),
    Column("taken_at", Float, nullable=False),
    Column("message", String, nullable=False),
    Column("not_before", Float, nullable=False),
    Column("person_tries", Integer, nullable=False),
    Column("caller_tries", Integer, nullable=False),
    Column("dialled", Boolean, nullable=False),
)

# Recordings of calls. A draft has nothing but its id, its beginning and the state "draft" yet.
recordings = Table(
    "recording",
    metadata,
    Column("id", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("call_id", String, nullable=False),
    Column("began_at", Float, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("caller", String, nullable=True),
    Column("called", String, nullable=False),
    Column("people", JSON, nullable=False),
    Column("direction", String, nullable=False),
    Column("because", JSON, nullable=False),
    Column("legal_basis", String, nullable=False),
    Column("keep_until", Float, nullable=False),
    Index("recording_by_time", "began_at"),
    Index("recording_by_end", "keep_until"),
)

# Who waits in a queue, whose place is held, or who is to be called back by one; see `StoredPlace`.
queue_places = Table(
    "queue_place",
    metadata,
    Column("place", String, primary_key=True),
    Column("queue", String, nullable=False),
    Column("arrived", Float, nullable=False),
    Column("caller", String, nullable=True),
    Column("tier", Integer, nullable=False),
    Column("needs", JSON, nullable=False),
    Column("entered", Float, nullable=False),
    Column("callback", String, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("due", Float, nullable=False),
)

queue_agents = Table(
    "queue_agent",
    metadata,
    Column("agent", String, primary_key=True),
    Column("logged_in", Boolean, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("reason", String, nullable=False),
    Column("until", Float, nullable=True),
    Column("missed", Integer, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("idle_since", Float, nullable=False),
)

# What came of a queue's callers, by the hour; see `HourCounts`.
queue_hours = Table(
    "queue_hour",
    metadata,
    Column("queue", String, primary_key=True),
    Column("hour", Integer, primary_key=True),
    Column("entered", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("answered", Integer, nullable=False),
    Column("within", JSON, nullable=False),
    Column("abandoned", Integer, nullable=False),
    Column("left", Integer, nullable=False),
    Column("overflowed", Integer, nullable=False),
    Column("callbacks", Integer, nullable=False),
    Column("waited", Float, nullable=False),
    Column("longest", Float, nullable=False),
    Column("called_back", Integer, nullable=False),
)

queue_handling = Table(
    "queue_handling",
    metadata,
    Column("queue", String, primary_key=True),
    Column("seconds", Float, nullable=False),  # that a conversation takes with its wrap-up
)
