"""Alembic scripts: the schema, revision by revision."""
