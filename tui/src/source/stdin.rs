//! A capture on standard input.

use std::io::stdin;

use super::stream::Stream;
use super::{Outlet, Stop};

/// Reads standard input.
pub(super) fn read(limit: Option<u64>, outlet: &Outlet) -> Result<(), Stop> {
    Stream::new(limit, None).read(stdin(), outlet)
}
