//! How a file is cut into parts, within the limits of B2.
