//! A server as its clients see it.

mod downloads;
mod requests;
mod support;
mod uploads;
