//! A two-country installation on one machine.
