//! What time it is, in the way captures tell it.

use std::time::{SystemTime, UNIX_EPOCH};

use nlscope_dissector::capture::Time;

/// Nanoseconds since 1970 by the clock of the system, which the kernel's times are of, too.
pub(crate) fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let nanoseconds = since.map_or(0, |since| since.as_nanos());
    Time(i64::try_from(nanoseconds).unwrap_or(i64::MAX))
}
