"""Schema 3: messages in mailboxes (V1), and the e-mails that tell of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"


def upgrade() -> None:
    op.create_table(
        "message",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("mailbox", sa.String, nullable=False),
        sa.Column("caller", sa.String, nullable=True),
        sa.Column("caller_name", sa.String, nullable=True),
        sa.Column("received_at", sa.Float, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("urgent", sa.Boolean, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("has_sound", sa.Boolean, nullable=False),
    )
    op.create_index("message_by_mailbox", "message", ["mailbox", "received_at"])
    op.create_index("message_by_caller", "message", ["caller"])
    op.create_index("message_by_time", "message", ["received_at"])
    op.create_table(
        "mail",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("message", sa.String, nullable=False),
        sa.Column("recipient", sa.String, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", sa.Float, nullable=False),
    )
    op.create_index("mail_by_message", "mail", ["message"])
    op.create_index("mail_by_time", "mail", ["due_at"])
