//! Two audit services side by side.

mod absence;
mod heads;
mod histories;
mod pruning;
mod restores;
mod support;
