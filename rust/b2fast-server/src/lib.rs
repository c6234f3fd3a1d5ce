//! The HTTP side of the simulator.
