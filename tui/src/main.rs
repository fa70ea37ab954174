//! nlscope: what the Linux kernel and its programs say to each other over netlink.

use std::process::ExitCode;

fn main() -> ExitCode {
    nlscope::main()
}
