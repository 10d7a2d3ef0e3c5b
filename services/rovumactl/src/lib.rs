//! rovuma-rovumactl
