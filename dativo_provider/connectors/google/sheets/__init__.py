"""Spreadsheets: which cells a job means, read in chunks of their real grid, as typed rows."""
