"""Alembic's entry: runs the migrations over the connection that `aiops.database.migrate` passes on."""

from alembic import context
from sqlmodel import SQLModel

from aiops.database import tables  # noqa: F401 - fills the metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=SQLModel.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
