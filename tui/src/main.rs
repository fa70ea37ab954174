//! nlscope: what the Linux kernel and its programs say to each other over netlink.

mod source;

fn main() {}
