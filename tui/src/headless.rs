//! The interface without a terminal: frames and keys in, screens out. For those who want
//! to know what would be shown, a fuzzer say.

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use nlscope_dissector::capture::{Frame, FrameAt};
use nlscope_dissector::schema::Schema;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use crate::app::{Action, App, Settings};
use crate::keymap;
use crate::source::{FrameEntry, Segment, SourceEvent};
use crate::view::{Palette, draw};

/// Opens `frames` in an interface of `size` columns and rows and presses `keys`, one
/// character each. Returns the screen at first and after each key: its rows, each with a
/// line feed.
#[must_use]
pub fn screens(
    schema: &Arc<Schema>,
    frames: &[Frame<'_>],
    keys: &str,
    (columns, rows): (u16, u16),
) -> Vec<String> {
    let settings = Settings::usual("frames", Arc::clone(schema));
    // The only thing that could be wrong is the filter.
    let Ok(mut app) = App::new(settings) else {
        return Vec::new();
    };
    app.update(Action::Resize(columns, rows));
    for (segment, frame) in (0..).zip(frames) {
        app.receive(SourceEvent::Segment(Segment::new(frame.bytes.to_vec())));
        app.receive(SourceEvent::Frames(vec![FrameEntry {
            frame: FrameAt {
                number: frame.number,
                time: frame.time,
                link: frame.link,
                interface: frame.interface,
                wire_len: frame.wire_len,
                offset: frame.offset,
                len: u32::try_from(frame.bytes.len()).unwrap_or(0),
                netns: frame.origin.netns,
                group: frame.origin.group,
                process: None,
            },
            segment,
            start: 0,
            own: false,
        }]));
    }
    app.receive(SourceEvent::End(Ok(())));
    let mut shown = vec![screen(&mut app, columns, rows)];
    for key in keys.chars() {
        let event = KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE);
        if let Some(action) = keymap::action(app.mode(), event) {
            app.update(action);
        }
        shown.push(screen(&mut app, columns, rows));
    }
    shown
}

/// What is on the screen when all work is done.
fn screen(app: &mut App, columns: u16, rows: u16) -> String {
    while app.has_work() {
        app.work(Duration::from_secs(1));
    }
    let Ok(mut terminal) = Terminal::new(TestBackend::new(columns, rows));
    let Ok(drawn) = terminal.draw(|frame| draw(frame, app, Palette::Many));
    let mut text = String::new();
    for row in drawn.buffer.content().chunks(usize::from(columns).max(1)) {
        text.extend(row.iter().map(ratatui::buffer::Cell::symbol));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use nlscope_dissector::capture::Origin;
    use nlscope_dissector::wire::LinkType;

    use super::*;

    #[test]
    fn keys_move_and_open_what_the_frames_have() {
        let mut bytes = vec![0, 4, 3, 0x38, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        bytes.extend([16, 0, 0, 0, 18, 0, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0]);
        let frame = Frame {
            number: 1,
            time: None,
            link: LinkType::Netlink,
            interface: 0,
            wire_len: 32,
            offset: 0,
            bytes: &bytes,
            origin: Origin::default(),
        };
        let shown = screens(&Arc::new(Schema::builtin()), &[frame], "?q", (80, 24));
        assert_eq!(shown.len(), 3);
        assert!(shown[0].contains("RTM_GETLINK"), "{}", shown[0]);
        assert!(shown[1].contains("help"), "{}", shown[1]);
        assert_eq!(shown[0], shown[2]);
    }
}
