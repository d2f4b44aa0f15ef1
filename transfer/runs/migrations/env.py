"""Runs the migrations on the connection that `transfer.runs.schema` opened."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
