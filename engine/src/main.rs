//! The thin binary: see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    sdc_engine::cli::main().into()
}
