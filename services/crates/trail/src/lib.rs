//! rovuma-trail
