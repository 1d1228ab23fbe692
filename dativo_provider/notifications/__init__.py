"""Notifiers for DAGs that people write themselves."""
