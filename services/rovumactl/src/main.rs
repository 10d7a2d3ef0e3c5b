//! `rovumactl`: see the library.

fn main() -> std::process::ExitCode {
    rovuma_rovumactl::main()
}
