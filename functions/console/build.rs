//! Has cargo build the function anew when an asset was added or removed, which the compiler does
//! not see.

fn main() -> std::io::Result<()> {
    use std::io::Write;
    writeln!(std::io::stdout(), "cargo::rerun-if-changed=assets")
}
