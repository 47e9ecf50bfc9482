"""Schema 4: callers who are to be called back (P3)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "4"
down_revision = "3"


def upgrade() -> None:
    op.create_table(
        "callback",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("person", sa.String, nullable=False),
        sa.Column("number", sa.String, nullable=False),
        sa.Column("caller_name", sa.String, nullable=True),
        sa.Column("taken_at", sa.Float, nullable=False),
        sa.Column("message", sa.String, nullable=False),
        sa.Column("not_before", sa.Float, nullable=False),
        sa.Column("person_tries", sa.Integer, nullable=False),
        sa.Column("caller_tries", sa.Integer, nullable=False),
        sa.Column("dialled", sa.Boolean, nullable=False),
    )
