"""What Alembic runs around the migrations. The connection comes from `router.stores.database`, its transaction too."""

from __future__ import annotations

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, transactional_ddl=True, transaction_per_migration=False)
context.run_migrations()
