"""Schema 1: the registrar's bindings. Files of the first release have this table, but nothing of Alembic."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "binding",
        sa.Column("user", sa.String, primary_key=True),
        sa.Column("contact", sa.String, primary_key=True),
        sa.Column("expires_at", sa.Float, nullable=False),
        sa.Column("call_id", sa.String, nullable=False),
        sa.Column("cseq", sa.Integer, nullable=False),
        sa.Column("transport", sa.String, nullable=False),
        sa.Column("host", sa.String, nullable=False),
        sa.Column("port", sa.Integer, nullable=False),
        sa.Column("q", sa.Float, nullable=False),
        sa.Column("path", sa.JSON, nullable=False),
        sa.Column("params", sa.String, nullable=False),
        sa.Column("instance", sa.String, nullable=False),
        sa.Column("user_agent", sa.String, nullable=False),
        if_not_exists=True,
    )
