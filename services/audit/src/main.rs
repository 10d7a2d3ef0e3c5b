//! The audit service's program.

use std::process::ExitCode;

fn main() -> ExitCode {
    rovuma_runtime::main::<rovuma_audit::Audit>()
}
