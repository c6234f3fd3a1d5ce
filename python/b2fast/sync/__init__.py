"""Two folders made the same: what has to be done for each file, and doing it."""
