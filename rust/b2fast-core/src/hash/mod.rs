//! SHA-1 of several independent streams in step, and BLAKE3.
