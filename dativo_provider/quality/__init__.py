"""Checks: compiled from any language to `CheckSpec`, run cheapest first, judged once per run."""
