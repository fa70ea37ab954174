//! Keys in, screen out.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use nlscope_dissector::schema::Schema;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::Modifier;

use super::{Action, App, Effect, Pane, Settings, Way};
use crate::keymap::{self, BINDINGS};
use crate::source::{self, Input, SourceEvent};
use crate::view::{Palette, draw};

const WIDE: (u16, u16) = (120, 40);

/// An interface that has read one of the captures.
struct Session {
    app: App,
    size: (u16, u16),
    palette: Palette,
}

impl Session {
    fn new(capture: &str, size: (u16, u16)) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../captures")
            .join(capture);
        let settings = Settings::usual(capture, Arc::new(Schema::builtin()));
        let mut app = App::new(settings).unwrap();
        app.update(Action::Resize(size.0, size.1));
        for event in source::open(Input::named(path), None).unwrap() {
            if let SourceEvent::End(end) = &event {
                assert_eq!(*end, Ok(()));
            }
            app.receive(event);
        }
        let mut session = Self {
            app,
            size,
            palette: Palette::Many,
        };
        session.work();
        session
    }

    fn work(&mut self) {
        while self.app.has_work() {
            self.app.work(Duration::from_secs(60));
        }
    }

    /// Presses keys: characters as they are, others by name, `<enter>`.
    fn press(&mut self, keys: &str) -> &mut Self {
        let mut rest = keys;
        while let Some(first) = rest.chars().next() {
            let name = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
            let event = if let Some((name, after)) = name {
                rest = after;
                named(name)
            } else {
                rest = &rest[first.len_utf8()..];
                KeyEvent::new(KeyCode::Char(first), KeyModifiers::NONE)
            };
            if let Some(action) = keymap::action(self.app.mode(), event) {
                assert_eq!(self.app.update(action), Effect::None, "{event:?}");
            }
            self.work();
        }
        self
    }

    fn buffer(&self) -> Buffer {
        let mut terminal = Terminal::new(TestBackend::new(self.size.0, self.size.1)).unwrap();
        terminal
            .draw(|frame| draw(frame, &self.app, self.palette))
            .unwrap();
        terminal.backend().buffer().clone()
    }

    fn screen(&self) -> Vec<String> {
        let buffer = self.buffer();
        let row = |y| {
            let row: String = (0..buffer.area.width)
                .map(|x| buffer[(x, y)].symbol())
                .collect();
            row.trim_end().to_owned()
        };
        (0..buffer.area.height).map(row).collect()
    }

    /// The place of a text on the screen.
    #[track_caller]
    fn find(&self, text: &str) -> (u16, u16) {
        let screen = self.screen();
        let found = screen.iter().enumerate().find_map(|(y, row)| {
            let at = row.find(text)?;
            Some((row[..at].chars().count(), y))
        });
        let (x, y) = found.unwrap_or_else(|| panic!("no {text:?} in\n{}", screen.join("\n")));
        (u16::try_from(x).unwrap(), u16::try_from(y).unwrap())
    }

    #[track_caller]
    fn sees(&self, text: &str) -> &Self {
        self.find(text);
        self
    }

    #[track_caller]
    fn misses(&self, text: &str) -> &Self {
        let screen = self.screen().join("\n");
        assert!(!screen.contains(text), "{text:?} in\n{screen}");
        self
    }

    /// Goes down in the tree to a field.
    #[track_caller]
    fn go_to_field(&mut self, path: &str) {
        for _ in 0..100 {
            if self.field() == path {
                return;
            }
            self.press("j");
        }
        panic!("no {path} in\n{}", self.screen().join("\n"));
    }

    /// The number of the selected frame.
    fn frame(&self) -> u32 {
        let record = self.app.messages().record(self.app.selection().message);
        record.map_or(0, |record| record.frame)
    }

    /// The path of the selected field, as the last row but one shows it.
    fn field(&self) -> String {
        let screen = self.screen();
        let row = &screen[screen.len() - 2];
        row.split("  ").next().unwrap_or_default().to_owned()
    }
}

/// Interfaces of every kind, with the request for the first of them selected.
fn links() -> Session {
    let mut it = Session::new("rt-link-kinds.pcap", WIDE);
    it.press("jjjj");
    assert_eq!(it.frame(), 5);
    it
}

fn named(name: &str) -> KeyEvent {
    if let Some(letter) = name.strip_prefix("ctrl-") {
        let code = KeyCode::Char(letter.chars().next().unwrap());
        return KeyEvent::new(code, KeyModifiers::CONTROL);
    }
    let code = match name {
        "tab" => KeyCode::Tab,
        "shift-tab" => KeyCode::BackTab,
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        "left" => KeyCode::Left,
        "right" => KeyCode::Right,
        "home" => KeyCode::Home,
        "end" => KeyCode::End,
        "page-down" => KeyCode::PageDown,
        "page-up" => KeyCode::PageUp,
        "backspace" => KeyCode::Backspace,
        other => panic!("no key {other}"),
    };
    KeyEvent::new(code, KeyModifiers::NONE)
}

#[test]
fn the_list_moves_and_the_fields_follow() {
    let mut it = links();
    it.sees("rt-link")
        .sees("tunl0 kind ipip")
        .sees("365 of 366");
    it.press("j");
    it.sees("RTM_NEWLINK in frame 6").sees("frame 6, ");
    it.press("G").sees("frame 315, ");
    it.press("g");
    assert_eq!(it.frame(), 1);
    it.press("<page-down>");
    assert!(it.frame() > 10);
    it.press("<page-up>");
    assert_eq!(it.frame(), 1);
}

#[test]
fn a_field_is_selected_in_the_tree_and_marked_in_the_bytes() {
    let mut it = links();
    it.press("<tab>");
    it.go_to_field("rt-link.ifname");
    it.sees("rt-link.ifname  IFLA_IFNAME  string  bytes 48..55");
    let buffer = it.buffer();
    let (x, y) = it.find("07 00 03 00 64 30");
    let header = buffer[(x, y)].style();
    let payload = buffer[(x + 12, y)].style();
    let other = buffer[(x + 24, y)].style();
    assert_ne!(header, payload);
    assert_ne!(payload, other);
    assert_ne!(header, other);
}

#[test]
fn a_byte_selects_the_deepest_field_that_holds_it() {
    let mut it = links();
    it.press("<tab><tab><home>");
    assert_eq!(it.field(), "cooked.packet-type");
    it.press("<down><down><down><right><right><right><right>");
    assert_eq!(it.field(), "rt-link.ifname");
    it.press("<down>");
    assert_eq!(it.field(), "rt-link.linkinfo.kind");
    // The tree shows it, and keeps it when it gets the keys.
    it.press("<shift-tab>");
    assert_eq!(it.field(), "rt-link.linkinfo.kind");
    // A byte of a closed node opens it as long as it is selected.
    it.misses("      seq: ");
    it.press("<tab><home><down>");
    assert_eq!(it.field(), "nlmsghdr.len");
    it.sees("      seq: ");
}

#[test]
fn nodes_open_and_close() {
    let mut it = links();
    it.press("<tab>");
    it.go_to_field("rt-link.linkinfo");
    it.sees("- linkinfo").sees("      kind: dummy");
    it.press(" ");
    it.sees("+ linkinfo").misses("      kind: dummy");
    it.press("<right>").sees("      kind: dummy");
    it.press("<right>");
    assert_eq!(it.field(), "rt-link.linkinfo.kind");
    it.press("<left>");
    assert_eq!(it.field(), "rt-link.linkinfo");
    // Closed in one message, closed in the next of its kind.
    it.press("<left><esc>jjj").sees("+ linkinfo");
    assert_eq!(it.frame(), 8);
}

#[test]
fn the_filter_says_while_it_is_typed_whether_it_is_right() {
    let mut it = links();
    it.press("/rt-link.ifnam == \"d0\"");
    let (x, y) = it.find("^");
    assert_eq!((x, y), (16, 1), "the caret stands under the name");
    it.sees("did you mean");
    let wrong = it.buffer()[(8, 0)].style();
    it.press("<enter>").sees("filter: rt-link.ifnam ==");
    it.press("<ctrl-u>rt-link.ifname == \"veth0\"").misses("^");
    assert_ne!(it.buffer()[(8, 0)].style(), wrong);
    it.press("<enter>").sees(" of 366").misses("d0 kind dummy");
    for row in it.app.screen() {
        let mut text = String::new();
        row.line.write(&mut text, false);
        assert!(text.contains("veth0"), "{text}");
    }
    it.press("x").sees("365 of 366");
}

#[test]
fn names_and_values_are_completed() {
    let mut it = links();
    it.press("/rt-link.ifn").sees("IFLA_IFNAME");
    it.press("<tab>").sees("filter: rt-link.ifname");
    it.press("<ctrl-u>rt-link.ifi-family == in");
    it.press("<tab>").sees("filter: rt-link.ifi-family == inet");
    it.press("<esc>").sees("no filter");
}

#[test]
fn a_filter_begins_with_the_selected_field() {
    let mut it = links();
    it.press("<tab>");
    it.go_to_field("rt-link.ifname");
    it.press("=").sees("filter: rt-link.ifname == \"d0\"");
    it.press("<enter><esc>j");
    assert_eq!(it.frame(), 6);
}

#[test]
fn facets_switch_messages_off_and_on() {
    let mut it = links();
    it.press("f").sees("[x] route").sees("[x] generic");
    it.press(" ").sees("[ ] route").sees("[facets off]");
    it.press("<esc>").misses("rt-link ").sees("12 of 366");
    it.press("fjo").sees("[x] generic").sees("[ ] route");
    it.press("a<esc>").sees("365 of 366");
    // By mouse.
    it.press("f");
    let (x, y) = it.find("[x] generic");
    it.app.update(Action::Click(x, y));
    it.work();
    it.sees("[ ] generic").sees("[x] route");
    // Ports and groups are there too.
    it.press("<tab><tab>").sees("[x] * (multicast)");
    it.press("G").sees("[x] RTNLGRP_LINK");
}

/// The id of the family is told by the very answer that is named by it.
#[test]
fn a_family_has_its_name_in_the_facets() {
    let mut it = Session::new("genl-wireguard.pcap", WIDE);
    it.press("f").sees("[x] wireguard").misses("generic:");
}

#[test]
fn help_lists_every_key() {
    let mut it = links();
    it.press("?");
    let mut seen = it.screen().join("\n");
    for _ in 0..10 {
        it.press("<page-down>");
        seen += &it.screen().join("\n");
    }
    for binding in BINDINGS {
        let line = seen
            .lines()
            .find(|line| line.contains(&binding.keys()) && line.contains(binding.help));
        assert!(line.is_some(), "{binding:?} is not in the help");
    }
    it.press("<esc>").sees("rt-link");
}

/// Page by page, and from the end.
#[test]
fn a_page_shows_each_of_its_lines_once() {
    for size in [(80, 24), (40, 10), (120, 40)] {
        let mut it = Session::new("rt-link-kinds.pcap", size);
        it.press("?");
        let page = |it: &Session| {
            let screen = it.screen();
            screen[2..screen.len() - 2].to_vec()
        };
        let last = |rows: &[String]| rows.iter().rposition(|row| !row.is_empty());
        let mut seen = page(&it);
        loop {
            it.press("<page-down>");
            let rows = page(&it);
            if seen.ends_with(&rows) {
                break;
            }
            seen.extend(rows);
        }
        let seen = seen.join("\n");
        let words: Vec<_> = seen.split_whitespace().collect();
        let words = words.join(" ");
        for binding in BINDINGS {
            assert!(words.contains(binding.help), "{binding:?} in\n{seen}");
        }
        let end = "an open node";
        assert_eq!(words.matches(end).count(), 1, "{seen}");
        it.press("g<end>");
        let rows = page(&it);
        assert_eq!(last(&rows), Some(rows.len() - 1), "{rows:#?}");
        assert!(seen.trim_end().ends_with(rows.last().unwrap()), "{rows:#?}");
    }
}

/// Words are not cut in two, and what goes on stands below what it belongs to.
#[test]
fn a_page_breaks_lines_between_words() {
    let mut it = Session::new("rt-link-kinds.pcap", (60, 30));
    it.press("?");
    let screen = it.screen();
    let at = screen
        .iter()
        .position(|row| row.contains("reply,"))
        .unwrap();
    assert_eq!(screen[at].find("to the end"), Some(22));
    assert_eq!(screen[at + 1].trim_start(), "acknowledgement, error");
    assert_eq!(screen[at + 1].find("ack"), Some(22));
}

#[test]
fn what_is_cut_says_so() {
    let mut it = Session::new("rt-link-kinds.pcap", (150, 40));
    it.press("jjj");
    let screen = it.screen();
    let (x, y) = it.find("0000  ");
    let fields = |row: &String| row.chars().take(usize::from(x)).collect::<String>();
    let lower: Vec<_> = screen.iter().skip(usize::from(y)).map(fields).collect();
    let cut = lower.iter().filter(|row| row.ends_with("… ")).count();
    assert!(cut > 0, "{lower:#?}");
    for row in &lower[..lower.len() - 2] {
        assert!(
            row.ends_with(' ') || row.chars().count() < usize::from(x),
            "{row:?}"
        );
    }
}

#[test]
fn copies_are_told_of_where_some_are_folded() {
    let mut it = links();
    it.sees("365 of 366 · copies folded");
    it.press("/errno == EOPNOTSUPP<enter>")
        .sees(" of 366")
        .misses("copies folded");
    it.press("xc").sees("366").misses("copies folded");
}

#[test]
fn from_an_answer_to_its_request_and_back() {
    let mut it = links();
    it.press("jj");
    assert_eq!(it.frame(), 7);
    it.press("r");
    assert_eq!(it.frame(), 5);
    it.press("t");
    assert_eq!(it.frame(), 7);
    it.press("<backspace>");
    assert_eq!(it.frame(), 5);
    it.press("<backspace>");
    assert_eq!(it.frame(), 7);
    it.press("rr").sees("this is a request itself");
    it.press("gr").sees("a notification");
}

#[test]
fn errors_are_found_with_what_the_kernel_says() {
    let mut it = links();
    it.press("e").sees("EEXIST");
    assert_eq!(it.frame(), 89);
    it.press("e");
    assert_eq!(it.frame(), 192);
    it.press("E");
    assert_eq!(it.frame(), 89);
    // The nearest that passes is selected.
    it.press("/errno == EOPNOTSUPP<enter>");
    assert_eq!(it.frame(), 239);
    it.press("e");
    assert_eq!(it.frame(), 243);
    assert_eq!(it.field(), "ext-ack.msg");
    it.sees("msg: Unknown device type");
}

#[test]
fn text_is_found_in_fields_and_summaries() {
    let mut it = links();
    it.press("sunknown DEVICE type<enter>");
    it.sees("no \"unknown DEVICE");
    it.press("s<ctrl-u>unknown device type<enter>");
    assert_eq!(it.frame(), 239);
    assert_eq!(it.field(), "ext-ack.msg");
    it.press("n");
    assert_eq!(it.frame(), 243);
    it.press("N");
    assert_eq!(it.frame(), 239);
    it.press("s<ctrl-u>kind veth<enter>")
        .sees("veth1 kind veth");
}

#[test]
fn copies_are_folded_into_one_row() {
    let mut it = links();
    it.press("s[copy]<enter>").sees("no \"[copy]\"");
    assert_eq!(it.app.rows().visible().len(), 365);
    it.press("cn").sees("[copy]").misses(" x2 ");
    assert_eq!(it.app.rows().visible().len(), 366);
    it.press("kc").sees(" x2 ").misses("[copy]");
}

#[test]
fn the_mouse_selects_rows_fields_and_bytes() {
    let mut it = links();
    let (x, y) = it.find("ok RTM_NEWLINK #5");
    it.app.update(Action::Click(x, y));
    assert_eq!(it.frame(), 7);
    it.press("r");
    let (x, y) = it.find("kind: dummy");
    it.app.update(Action::Click(x, y));
    assert_eq!(it.field(), "rt-link.linkinfo.kind");
    assert_eq!(it.app.focus(), Pane::Tree);
    let (x, y) = it.find("64 30 00 00");
    it.app.update(Action::Click(x, y));
    assert_eq!(it.field(), "rt-link.ifname");
    assert_eq!(it.app.focus(), Pane::Hex);
    let (x, y) = it.find("d0 kind dummy");
    it.app.update(Action::Wheel(x, y, Way::Forward));
    assert_eq!(it.frame(), 8);
}

#[test]
fn one_pane_alone() {
    let mut it = links();
    it.press("<tab>z")
        .misses("port or group")
        .misses("0000  00");
    it.sees("linkinfo");
    it.press("z").sees("port or group");
}

/// No size makes it panic, and what is selected stays on the screen.
#[test]
fn any_size_will_do() {
    let mut it = links();
    let keys = [
        "",
        "<tab>",
        "<tab>",
        "?",
        "<esc>f",
        "<esc>/rt-lin",
        "x == <esc>",
        "z",
    ];
    for size in [
        (40, 10),
        (1, 1),
        (3, 2),
        (20, 5),
        (79, 11),
        (200, 60),
        (500, 200),
    ] {
        it.size = size;
        it.app.update(Action::Resize(size.0, size.1));
        for keys in keys {
            it.press(keys);
            it.buffer();
        }
        it.press("z<esc><esc>G");
        it.buffer();
        it.press("g");
    }
    it.size = (40, 10);
    it.app.update(Action::Resize(40, 10));
    it.press("jjjjjj").sees("NLMSG_ERROR");
    it.press("<tab>").sees("NLMSG_ERROR in frame 7");
    it.press("<tab>").sees("0010  ");
}

#[test]
fn the_selection_shows_without_colour() {
    let mut it = links();
    it.palette = Palette::None;
    it.press("j");
    let buffer = it.buffer();
    let reversed = |y: u16| buffer[(20, y)].modifier.contains(Modifier::REVERSED);
    let (_, y) = it.find("   6    0.8");
    assert!(reversed(y) && !reversed(y + 1));
    for cell in buffer.content() {
        assert_eq!(cell.fg, ratatui::style::Color::Reset);
        assert_eq!(cell.bg, ratatui::style::Color::Reset);
    }
}

#[test]
fn sixteen_colours_are_enough() {
    let mut it = links();
    it.palette = Palette::Sixteen;
    it.press("ej/rt-link.x<esc>f");
    for cell in it.buffer().content() {
        for color in [cell.fg, cell.bg] {
            let many = matches!(
                color,
                ratatui::style::Color::Indexed(_) | ratatui::style::Color::Rgb(..)
            );
            assert!(!many, "{color:?}");
        }
    }
}

/// The capture has names with escape sequences in them.
#[test]
fn what_a_capture_says_does_not_reach_the_terminal_raw() {
    let mut it = Session::new("malformed.pcap", (120, 60));
    let mut escaped = 0;
    while it.app.rows().position(it.app.selection().message)
        != Ok(it.app.rows().visible().len() - 1)
    {
        for row in it.screen() {
            let raw = row
                .chars()
                .find(|c| nlscope_dissector::text::is_unprintable(*c));
            assert_eq!(raw, None, "{row}");
            escaped += row.matches("\\x1b").count();
        }
        it.press("<page-down>");
    }
    assert!(escaped > 0, "no hostile name was met");
    it.press("gw");
    assert!(it.app.detail().is_some());
}

#[test]
fn the_list_can_be_used_before_everything_is_read() {
    let mut it = links();
    it.app.receive(SourceEvent::Progress {
        read: 25,
        total: Some(100),
    });
    it.sees("reading 25%");
    it.press("j");
    assert_eq!(it.frame(), 6);
    it.app
        .receive(SourceEvent::Notice("left out\x1b[31m".to_owned()));
    it.sees("left out\\x1b[31m");
    it.press("!").sees("left out");
}
