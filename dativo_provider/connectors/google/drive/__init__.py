"""Drive: which files a job means, what changed since, and their bytes."""
