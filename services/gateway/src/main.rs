//! The gateway's program.

use std::process::ExitCode;

fn main() -> ExitCode {
    rovuma_runtime::main::<rovuma_gateway::GatewayService>()
}
