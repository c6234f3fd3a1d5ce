"""Many files in one call: uploads, downloads, deletions and copies."""
