//! Check digits of the numbers that officers type.

pub(crate) mod imo;
pub(crate) mod mrz;
pub(crate) mod vin;
