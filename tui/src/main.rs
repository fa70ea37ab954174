//! nlscope: what the Linux kernel and its programs say to each other over netlink.

mod app;
mod keymap;
mod source;
mod terminal;
mod view;

use std::process::ExitCode;
use std::sync::Arc;

fn main() -> anyhow::Result<ExitCode> {
    let path = std::env::args_os().nth(1).unwrap_or_default();
    let title = path.to_string_lossy().into_owned();
    let source = source::open(source::Input::named(path.into()), Some(source::KEPT_LIMIT))?;
    let ended = terminal::run(
        &source,
        app::Settings {
            title,
            filter: String::new(),
            schema: Arc::new(nlscope_dissector::schema::Schema::builtin()),
            genl: Vec::new(),
            numeric: false,
            redact: false,
            time: nlscope_dissector::export::TimeFormat::Relative,
        },
        view::Palette::of_terminal(|name| std::env::var(name).ok()),
    )?;
    if let terminal::Ended::Damaged(text) = ended {
        eprintln!("nlscope: {text}");
        return Ok(ExitCode::from(2));
    }
    Ok(ExitCode::SUCCESS)
}
