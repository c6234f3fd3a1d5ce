//! A server as its clients see it.

mod downloads;
mod faults;
mod requests;
mod support;
mod uploads;
