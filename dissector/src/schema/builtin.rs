//! The built-in tables, made from `schema/*.yaml` by `build.rs`.

#[allow(
    clippy::pedantic,
    dead_code,
    reason = "generated; a definition file also has what no other file uses"
)]
mod tables {
    include!(concat!(env!("OUT_DIR"), "/tables.rs"));
}

pub(super) use tables::{FAMILIES, protocols};
