//! What comes while it is watched, keys in, screen out.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use nlscope_dissector::capture::{FrameAt, Process, Time};
use nlscope_dissector::schema::Schema;
use nlscope_dissector::wire::LinkType;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use crate::app::{Action, App, Effect, Settings};
use crate::keymap;
use crate::netlink::{NATIVE, nlmon};
use crate::source::{
    FrameEntry, Losses, PortUse, Segment, Socket, SocketChange, SocketKey, SourceEvent,
};
use crate::view::{Palette, draw};

const SIZE: (u16, u16) = (140, 30);
const ROUTE: u16 = 0;

/// An interface that watches a machine.
struct Watch {
    app: App,
    frames: u32,
    size: (u16, u16),
    /// Where the next message is from.
    netns: u32,
}

impl Watch {
    fn new(limit: usize) -> Self {
        let mut app = App::new(Settings {
            live: Some(limit),
            ..Settings::usual("nlmon0", Arc::new(Schema::builtin()))
        })
        .unwrap();
        app.update(Action::Resize(SIZE.0, SIZE.1));
        Self {
            app,
            frames: 0,
            size: SIZE,
            netns: 0,
        }
    }

    /// A link message comes: `RTM_NEWLINK` of interface 7 with this sequence number and port.
    fn hear(&mut self, seq: u32, pid: u32, group: u32, own: bool) {
        let ifinfomsg = [&[0, 0, 1, 0], &NATIVE.u32(7)[..], &[0; 8]].concat();
        let message = NATIVE.message_of((seq, pid), 16, 0, &ifinfomsg);
        self.take(&message, group, own);
    }

    /// A request of port 77 comes: `RTM_GETLINK`.
    fn ask(&mut self, seq: u32) {
        let message = NATIVE.message_of((seq, 77), 18, 1, &[0; 16]);
        self.take(&message, 0, false);
    }

    /// The answer to it comes: `EPERM`.
    fn refuse(&mut self, seq: u32) {
        let error = [&NATIVE.u32(1_u32.wrapping_neg())[..], &[0; 16]].concat();
        let message = NATIVE.message_of((seq, 77), 2, 0, &error);
        self.take(&message, 0, false);
    }

    fn take(&mut self, message: &[u8], group: u32, own: bool) {
        let bytes = nlmon(ROUTE, message);
        let len = u32::try_from(bytes.len()).unwrap();
        let entry = FrameEntry {
            frame: FrameAt {
                number: self.frames + 1,
                time: Some(Time(i64::from(self.frames) * 1_000_000_000)),
                link: LinkType::Netlink,
                interface: 0,
                wire_len: len,
                offset: 0,
                len,
                netns: self.netns,
                group: NonZeroU32::new(group),
                process: None,
            },
            segment: self.frames,
            start: 0,
            own,
        };
        self.frames += 1;
        self.app.receive(SourceEvent::Segment(Segment::new(bytes)));
        self.app.receive(SourceEvent::Frames(vec![entry]));
        self.work();
    }

    /// So many were dropped by now.
    fn lose(&mut self, dropped: u64) {
        self.app.receive(SourceEvent::Losses(Losses {
            interface: 0,
            received: 5_000_000,
            dropped,
            own: 0,
        }));
    }

    fn resize(&mut self, size: (u16, u16)) {
        self.size = size;
        self.app.update(Action::Resize(size.0, size.1));
    }

    fn work(&mut self) {
        while self.app.has_work() {
            self.app.work(Duration::from_secs(60));
        }
    }

    /// Types another filter.
    fn filter(&mut self, text: &str) {
        self.press("x/");
        self.press(text);
        self.press("\n");
        self.work();
    }

    fn press(&mut self, keys: &str) -> Effect {
        let mut effect = Effect::None;
        for key in keys.chars() {
            let code = match key {
                '\n' => KeyCode::Enter,
                '\t' => KeyCode::Tab,
                '\u{1b}' => KeyCode::Esc,
                _ => KeyCode::Char(key),
            };
            let action = keymap::action(self.app.mode(), KeyEvent::new(code, KeyModifiers::NONE));
            effect = self.app.update(action.unwrap());
        }
        effect
    }

    fn screen(&self) -> String {
        let mut terminal = Terminal::new(TestBackend::new(self.size.0, self.size.1)).unwrap();
        let drawn = terminal
            .draw(|frame| draw(frame, &self.app, Palette::None))
            .unwrap();
        let cells = drawn.buffer.content().chunks(usize::from(self.size.0));
        let row = |row: &[ratatui::buffer::Cell]| -> String {
            row.iter().map(ratatui::buffer::Cell::symbol).collect()
        };
        cells.map(row).collect::<Vec<_>>().join("\n")
    }

    #[track_caller]
    fn shows(&self, text: &str) {
        let screen = self.screen();
        assert!(screen.contains(text), "no \"{text}\" in\n{screen}");
    }

    #[track_caller]
    fn misses(&self, text: &str) {
        let screen = self.screen();
        assert!(!screen.contains(text), "\"{text}\" in\n{screen}");
    }
}

fn key(port: u32) -> SocketKey {
    SocketKey {
        netns: 0,
        protocol: ROUTE,
        port,
    }
}

fn socket(port: u32, name: &str, groups: &[u32]) -> Socket {
    Socket {
        key: key(port),
        inode: port,
        process: Some(Process {
            pid: port,
            name: name.to_owned(),
            exact: true,
        }),
        groups: groups.to_vec(),
        received: 0,
        receive_limit: 0,
        sent: 0,
        drops: 0,
    }
}

#[test]
fn the_last_message_stays_selected_until_one_goes_up() {
    let mut watch = Watch::new(1 << 20);
    watch.shows("nobody has said anything");
    for seq in 1..=40 {
        watch.hear(seq, 0, 0, false);
    }
    assert_eq!(watch.app.selection().message, 39);
    watch.shows("following");
    watch.press("kk");
    watch.hear(41, 0, 0, false);
    assert_eq!(watch.app.selection().message, 37);
    assert!(!watch.screen().contains("following"));
    watch.press("G");
    watch.hear(42, 0, 0, false);
    assert_eq!(watch.app.selection().message, 41);
}

#[test]
fn whoever_reads_fields_is_left_in_peace() {
    for keys in ["\tj", "\t ", "\t\tj", "\tG", "e"] {
        let mut watch = Watch::new(1 << 20);
        watch.refuse(1);
        watch.hear(2, 0, 0, false);
        watch.press(keys);
        watch.work();
        let read = watch.app.selection();
        watch.hear(3, 0, 0, false);
        assert_eq!(watch.app.selection(), read, "after {keys:?}");
        assert!(!watch.screen().contains("following"), "after {keys:?}");
        watch.press("\u{1b}G");
        watch.hear(4, 0, 0, false);
        assert_eq!(watch.app.selection().message, 3, "after {keys:?}");
        watch.shows("following");
    }
}

#[test]
fn what_is_selected_is_in_the_list() {
    let mut watch = Watch::new(1 << 20);
    watch.hear(1, 0, 0, false);
    watch.hear(2, 0, 1, false);
    watch.hear(3, 0, 0, false);
    watch.press("k");
    watch.press("k");
    watch.filter("nlmsghdr.seq == 2");
    assert_eq!(watch.app.selection().message, 1);
    watch.shows("RTM_NEWLINK in frame 2");
    // Where nothing passes, nothing is shown, until something does.
    watch.filter("nlmsghdr.seq == 5");
    watch.shows("no message passes");
    assert!(watch.app.detail().is_none());
    watch.misses("in frame");
    watch.misses("frame 2");
    watch.hear(4, 0, 0, false);
    assert!(watch.app.detail().is_none());
    watch.hear(5, 0, 0, false);
    watch.shows("RTM_NEWLINK in frame 5");
}

/// A message that one has jumped to is none that a filter has left behind.
#[test]
fn what_comes_does_not_end_a_look_at_what_is_not_in_the_list() {
    let mut watch = Watch::new(1 << 20);
    watch.ask(1);
    watch.refuse(1);
    watch.filter("errno != 0");
    watch.press("r");
    assert_eq!(watch.app.selection().message, 0);
    watch.ask(2);
    watch.refuse(2);
    assert_eq!(watch.app.selection().message, 0);
    watch.shows("RTM_GETLINK in frame 1");
}

#[test]
fn what_is_kept_is_bounded_and_that_is_shown() {
    let mut watch = Watch::new(100_000);
    for seq in 1..=2000 {
        watch.hear(seq, 0, 0, false);
    }
    let messages = watch.app.messages();
    let kept = messages.count() - messages.gone();
    assert_eq!(messages.count(), 2000);
    assert!((100..400).contains(&kept), "{kept} are kept");
    assert_eq!(watch.app.rows().visible().len(), kept as usize);
    watch.shows("left the view");
    watch.shows(" 2000 ");
    // One who stays at an old message is taken to the oldest that is left.
    watch.press("g");
    for seq in 2001..=4000 {
        watch.hear(seq, 0, 0, false);
    }
    let first = watch.app.messages().gone();
    assert!(watch.app.selection().message >= first);
    assert!(watch.app.detail().is_some());
}

#[test]
fn our_own_questions_are_not_in_the_list() {
    let mut watch = Watch::new(1 << 20);
    watch.hear(1, 0, 0, true);
    watch.hear(2, 0, 0, false);
    assert_eq!(watch.app.messages().count(), 1);
    watch.shows("     2 ");
}

#[test]
fn who_caused_a_notification_is_shown_when_it_is_known() {
    let mut watch = Watch::new(1 << 20);
    watch.hear(1, 77, 1, false);
    watch.shows(" RTNLGRP_LINK ");
    watch.shows("by 77: 7");
    watch.app.receive(SourceEvent::Port(PortUse {
        key: key(77),
        process: Process {
            pid: 77,
            name: "ip\u{1b}".to_owned(),
            exact: false,
        },
    }));
    watch.work();
    watch.shows("by ~ip\\x1b[77]: 7");
}

#[test]
fn a_filter_for_processes_is_asked_again_when_one_turns_out() {
    let mut watch = Watch::new(1 << 20);
    watch.press("/");
    watch.press("process == \"ip\"\n");
    watch.hear(1, 77, 1, false);
    assert!(watch.app.rows().visible().is_empty());
    let opened = SocketChange::Opened(socket(77, "ip", &[]));
    watch.app.receive(SourceEvent::Socket(opened));
    watch.work();
    assert_eq!(watch.app.rows().visible(), [0]);
}

#[test]
fn the_sockets_say_who_hears_the_selected_message_and_whose_it_is() {
    let mut watch = Watch::new(1 << 20);
    for present in [
        socket(50, "monitor", &[1]),
        socket(77, "ip", &[]),
        socket(99, "other", &[5]),
    ] {
        let event = SourceEvent::Socket(SocketChange::Present(present));
        watch.app.receive(event);
    }
    watch.hear(1, 77, 1, false);
    watch
        .app
        .receive(SourceEvent::Socket(SocketChange::Released(key(99).into())));
    watch.press("p");
    let screen = watch.screen();
    let line = |text: &str| screen.lines().find(|line| line.contains(text)).unwrap();
    assert!(line("monitor[50]").starts_with("> route"), "{screen}");
    assert!(line("ip[77]").starts_with("* route"), "{screen}");
    assert!(line("released").contains("released route 99 other[99] groups RTNLGRP_IPV4_IFADDR"));
    watch.press("q");
    watch.shows("frame 1");
}

#[test]
fn what_the_kernel_dropped_is_always_on_the_screen() {
    let mut watch = Watch::new(1 << 20);
    watch.shows("live, 0 dropped");
    for dropped in [1000, 1234] {
        watch.lose(dropped);
    }
    watch.shows("live, 1,234 dropped");
}

#[test]
fn the_most_important_is_on_a_narrow_screen_too() {
    for width in [40, 80, 120] {
        let mut watch = Watch::new(1 << 20);
        watch.resize((width, 24));
        watch.hear(1, 0, 0, false);
        let name = "/a/long/folder/nlscope_00001_20261121073000.pcapng";
        watch.app.recorded(Some((name.to_owned(), 1234)));
        watch.lose(1_234_567);
        watch.filter("nlmsghdr.seq == 1");
        watch.shows("1,234,567 dropped");
        let name = "recording nlscope_000…73000.pcapng, 1,234";
        watch.shows(if width == 120 {
            name
        } else {
            "recording 1,234"
        });
        let error = "cannot write to /x: Permission denied; name another place, please";
        watch.app.saved("/x", Err(error.to_owned()));
        watch.shows("1,234,567 dropped");
        watch.shows("cannot write to /x:");
    }
}

#[test]
fn losses_leave_a_mark_but_not_many() {
    let mut watch = Watch::new(1 << 20);
    watch.hear(1, 0, 0, false);
    for (second, dropped) in [(1, 5), (2, 7), (3, 7), (5, 900), (60, 901)] {
        watch.app.set_time(Time(second * 1_000_000_000));
        watch.lose(dropped);
    }
    watch.shows("! 2");
    watch.press("!");
    watch.shows("1.000000 nlscope was too slow: 0 -> 900 dropped by the kernel");
    watch.shows("60.000000 nlscope was too slow: 900 -> 901 dropped by the kernel");
}

#[test]
fn what_happens_to_sockets_has_a_time_and_overflow_is_told() {
    let mut watch = Watch::new(1 << 20);
    watch.hear(1, 0, 0, false);
    let tell = |watch: &mut Watch, second: i64, change: SocketChange| {
        watch.app.set_time(Time(second * 1_000_000_000));
        watch.app.receive(SourceEvent::Socket(change));
    };
    let dropping = |drops| Socket {
        drops,
        ..socket(512, "ip", &[1])
    };
    let own = |drops| Socket {
        drops,
        ..socket(7, "nlscope", &[1, 5])
    };
    tell(&mut watch, 0, SocketChange::Present(own(0)));
    tell(&mut watch, 0, SocketChange::Present(dropping(931)));
    tell(&mut watch, 3, SocketChange::Changed(dropping(2679)));
    tell(&mut watch, 4, SocketChange::Changed(dropping(2680)));
    tell(&mut watch, 5, SocketChange::Changed(own(3)));
    watch.shows("! 1");
    watch.press("!");
    watch.shows("3.000000 route 512 ip[512] was too slow: 931 -> 2680 dropped");
    watch.press("qp");
    watch.shows("3.000000 changed  route 512 ip[512] 931 -> 2679 dropped");
    watch.shows("2 groups");
}

#[test]
fn names_of_groups_are_not_cut_in_two() {
    let mut watch = Watch::new(1 << 20);
    watch.resize((80, 24));
    let groups: Vec<u32> = (1..21).collect();
    let present = SocketChange::Present(socket(512, "ip", &groups));
    watch.app.receive(SourceEvent::Socket(present));
    watch.press("p");
    let screen = watch.screen();
    for group in ["RTNLGRP_NEIGH", "RTNLGRP_IPV6_MROUTE", "RTNLGRP_ND_USEROPT"] {
        assert!(screen.contains(group), "{group} in\n{screen}");
    }
}

#[test]
fn facets_name_programs_and_network_namespaces() {
    let mut watch = Watch::new(1 << 20);
    watch.app.receive(SourceEvent::Netns("pod1".to_owned()));
    watch.ask(1);
    watch.app.receive(SourceEvent::Port(PortUse {
        key: key(77),
        process: Process {
            pid: 77,
            name: "ip".to_owned(),
            exact: true,
        },
    }));
    watch.press("f");
    watch.work();
    watch.shows("[x] ip[77]");
    watch.misses("network namespace");
    watch.shows("esc closes");
    watch.netns = 1;
    watch.ask(2);
    watch.shows("network namespace");
    watch.shows("[x] pod1");
    watch.shows("[x] the first");
}

#[test]
fn files_are_for_the_outside_to_write() {
    let mut watch = Watch::new(1 << 20);
    watch.hear(1, 0, 0, false);
    assert_eq!(watch.press("R"), Effect::Record);
    watch.app.recorded(Some(("x.pcapng".to_owned(), 1234)));
    watch.shows("recording x.pcapng, 1,234");
    assert_eq!(watch.press("S"), Effect::Name);
    watch.app.type_file("nlscope-2.pcapng".to_owned());
    watch.shows("save the list in: nlscope-2.pcapng");
    let name = "nlscope-2.pcapng".to_owned();
    assert_eq!(watch.press("\n"), Effect::Save(name.clone()));
    // What could not be written is mended, not typed again.
    watch.app.saved(&name, Err("no room".to_owned()));
    watch.shows("no room");
    assert_eq!(watch.press("S"), Effect::None);
    watch.shows("save the list in: nlscope-2.pcapng");
    assert_eq!(watch.press("\n"), Effect::Save(name.clone()));
    watch.app.saved(&name, Ok("7 frames are in it".to_owned()));
    watch.shows("7 frames");
    assert_eq!(watch.press("S"), Effect::Name);
}
