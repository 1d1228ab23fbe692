"""Alembic's revisions of the SQL leaf; see `store.revisions`."""
