"""Runs the migrations on the connection that `transfer.store.database` opened."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
