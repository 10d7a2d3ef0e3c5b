//! The service's API over a real store, with an issuer in the test's hand. There is no gateway and no broker.

mod at_rest;
mod candidates;
mod coverage;
mod expected;
mod guards;
mod hits;
mod imports;
mod large;
mod openapi;
mod plans;
mod support;
