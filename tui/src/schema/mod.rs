//! `nlscope schema`: looking into the tables, making them from specifications, and
//! comparing them with those.

mod facts;
pub(crate) mod import;
pub(crate) mod list;
mod yaml;
