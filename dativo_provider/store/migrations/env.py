"""Runs the revisions on the connection, and in the transaction, that `store.revisions` hands over."""

from alembic import context

from dativo_provider.store.schema import METADATA, VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"], target_metadata=METADATA, version_table=VERSION_TABLE
)
with context.begin_transaction():
    context.run_migrations()
