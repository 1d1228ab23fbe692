"""Alembic's revisions of the SQL leaf, oldest first."""
