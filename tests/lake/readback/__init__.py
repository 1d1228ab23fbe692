"""What we publish, read by other engines."""
