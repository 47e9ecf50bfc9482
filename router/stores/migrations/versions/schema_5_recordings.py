"""Schema 5: recordings of calls (X3)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "5"
down_revision = "4"


def upgrade() -> None:
    op.create_table(
        "recording",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("call_id", sa.String, nullable=False),
        sa.Column("began_at", sa.Float, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("caller", sa.String, nullable=True),
        sa.Column("called", sa.String, nullable=False),
        sa.Column("people", sa.JSON, nullable=False),
        sa.Column("direction", sa.String, nullable=False),
        sa.Column("because", sa.JSON, nullable=False),
        sa.Column("legal_basis", sa.String, nullable=False),
        sa.Column("keep_until", sa.Float, nullable=False),
    )
    op.create_index("recording_by_time", "recording", ["began_at"])
    op.create_index("recording_by_end", "recording", ["keep_until"])
