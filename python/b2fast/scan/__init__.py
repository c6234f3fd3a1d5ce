"""Many files at once: finding them in folders, and what is reported about them."""
