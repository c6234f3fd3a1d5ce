//! The HTTP side of b2fast's simulator: receives, hashes, stores and serves content.
//!
//! This crate knows of B2 only which requests carry the content of a file; everything else
//! is decided by a [`Handler`], which is asked once per request, with the body already in
//! place. Content never passes through the handler: it is hashed while it arrives, kept in
//! memory or in files, and sent from there.
//!
//! hyper does the protocol. A blocking server of our own would need a parser of its own,
//! and this one has to serve any client: rclone, restic, b2sdk.

mod body;
mod body_faults;
mod calls;
mod connection;
mod content;
mod directory;
mod flush_gate;
mod hang_up;
mod intake;
mod message;
mod pool;
mod receive;
mod server;
mod store;
mod tls;
mod trailer;

pub use body_faults::{BodyFaults, Ending, HowItEnds};
pub use calls::{Attendant, Call};
pub use content::{Content, StoredSegment};
pub use message::{InvalidResponse, Payload, Request, Response};
pub use server::{Handler, Options, Server, StartError};
pub use store::ContentStore;
pub use tls::Identity;
