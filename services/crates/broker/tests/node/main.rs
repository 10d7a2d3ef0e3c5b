//! On a real RabbitMQ node, shared by the tests of this file; each has a gateway of its own.

mod consuming;
mod fixture;
mod foreign_headers;
mod permissions;
mod publishing;
mod tls;
