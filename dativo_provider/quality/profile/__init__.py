"""What rows look like: counts, ranges, shapes and frequent values of every column. `measure.profile` makes one."""
