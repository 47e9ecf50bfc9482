"""Schema 2: selections, the audit, and the configurations that were in force (P1, P2)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"


def upgrade() -> None:
    op.create_table(
        "selection",
        sa.Column("person", sa.String, primary_key=True),
        sa.Column("by", sa.String, primary_key=True),
        sa.Column("profile", sa.String, nullable=False),
        sa.Column("since", sa.Float, nullable=False),
        sa.Column("until", sa.Float, nullable=True),
        sa.Column("forward", sa.String, nullable=False),
        sa.Column("actor", sa.String, nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("action", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("before", sa.String, nullable=False),
        sa.Column("after", sa.String, nullable=False),
    )
    op.create_index("audit_by_time", "audit", ["at"])
    op.create_index("audit_by_subject", "audit", ["subject", "at"])
    op.create_table(
        "configuration",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("hash", sa.String, nullable=False),
        sa.Column("loaded_at", sa.Float, nullable=False),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("texts", sa.LargeBinary, nullable=False),
    )
    op.create_index("configuration_by_hash", "configuration", ["hash"])
