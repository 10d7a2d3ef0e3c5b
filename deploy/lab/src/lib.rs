//! A two-country installation on one machine, for `deploy/quickstart` and for tests: certificates, private
//! RabbitMQ nodes, and processes that end with the one that started them.

pub mod api;
pub mod border;
pub mod certs;
pub mod config;
pub mod country;
pub mod ctl;
pub mod desk;
pub mod kept;
pub mod keys;
pub mod layout;
pub mod person;
pub mod plan;
pub mod ports;
pub mod postgres;
pub mod process;
pub mod rabbit;
pub mod story;
