//! The transfer core of b2fast: everything that touches the bytes of a file.
//!
//! No type of Python appears here, so that this crate can be tested, benchmarked and
//! fuzzed on its own. What to transfer is decided by the caller; how the bytes move is
//! decided here.

pub mod buffers;
pub mod bulk;
pub mod cancel;
pub mod counters;
pub mod download;
pub mod engine;
pub mod error;
pub mod file_io;
pub mod gate;
pub mod hash;
pub mod lease;
pub mod listing;
pub mod local_files;
mod part_digests;
pub mod plan;
pub mod progress;
pub mod rate_limit;
pub mod retry;
pub mod service;
pub mod source;
pub mod transport;
pub mod upload;
pub mod workers;
