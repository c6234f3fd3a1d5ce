"""b2fast."""
