"""What an auditor is given: every check's result with the versions it speaks of, and a page per run."""
