//! Positional reads and writes of local files.
