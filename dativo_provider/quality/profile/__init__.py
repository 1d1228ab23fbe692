"""What rows look like: counts, ranges, shapes and frequent values of every column, told once for each run."""

from dativo_provider.quality.profile.measure import profile
from dativo_provider.quality.profile.model import ColumnProfile, Histogram, Profile, TopValue

__all__ = ["ColumnProfile", "Histogram", "Profile", "TopValue", "profile"]
