"""Schema 6: waiting lines, their agents, and what came of the callers (Q9, P3)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "6"
down_revision = "5"


def upgrade() -> None:
    op.create_table(
        "queue_place",
        sa.Column("place", sa.String, primary_key=True),
        sa.Column("queue", sa.String, nullable=False),
        sa.Column("arrived", sa.Float, nullable=False),
        sa.Column("caller", sa.String, nullable=True),
        sa.Column("tier", sa.Integer, nullable=False),
        sa.Column("needs", sa.JSON, nullable=False),
        sa.Column("entered", sa.Float, nullable=False),
        sa.Column("callback", sa.String, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("due", sa.Float, nullable=False),
    )
    op.create_table(
        "queue_agent",
        sa.Column("agent", sa.String, primary_key=True),
        sa.Column("logged_in", sa.Boolean, nullable=False),
        sa.Column("paused", sa.Boolean, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("until", sa.Float, nullable=True),
        sa.Column("missed", sa.Integer, nullable=False),
        sa.Column("calls", sa.Integer, nullable=False),
        sa.Column("idle_since", sa.Float, nullable=False),
    )
    op.create_table(
        "queue_hour",
        sa.Column("queue", sa.String, primary_key=True),
        sa.Column("hour", sa.Integer, primary_key=True),
        sa.Column("entered", sa.Integer, nullable=False),
        sa.Column("refused", sa.Integer, nullable=False),
        sa.Column("answered", sa.Integer, nullable=False),
        sa.Column("within", sa.JSON, nullable=False),
        sa.Column("abandoned", sa.Integer, nullable=False),
        sa.Column("left", sa.Integer, nullable=False),
        sa.Column("overflowed", sa.Integer, nullable=False),
        sa.Column("callbacks", sa.Integer, nullable=False),
        sa.Column("waited", sa.Float, nullable=False),
        sa.Column("longest", sa.Float, nullable=False),
        sa.Column("called_back", sa.Integer, nullable=False),
    )
    op.create_table(
        "queue_handling",
        sa.Column("queue", sa.String, primary_key=True),
        sa.Column("seconds", sa.Float, nullable=False),
    )
