//! The program `rovuma-identity`.

use std::process::ExitCode;

fn main() -> ExitCode {
    rovuma_runtime::main::<rovuma_identity::Identity>()
}
