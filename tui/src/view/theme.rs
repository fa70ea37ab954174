//! What everything looks like: one table, for terminals with 256 colours, with 16, and
//! without any.

use nlscope_dissector::export::Role;
use ratatui::style::{Color, Modifier, Style};

/// What the terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Palette {
    /// 256 colours.
    Many,
    /// The 16 of old.
    Sixteen,
    /// None: bold, dim, underlined and reversed only.
    None,
}

impl Palette {
    /// What the environment says of the terminal.
    #[must_use]
    pub(crate) fn of_terminal(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let term = set("TERM").unwrap_or_default();
        let without = ["dumb", "vt100", "vt102", "vt220", "vt320"];
        if set("NO_COLOR").is_some() || without.contains(&term.as_str()) || term.ends_with("-m") {
            Palette::None
        } else if set("COLORTERM").is_some() || term.contains("256") || term.contains("direct") {
            Palette::Many
        } else {
            Palette::Sixteen
        }
    }
}

/// What a part of the screen is, beside the [`Role`]s of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The title of a pane.
    Title,
    /// The title of the pane that keys go to.
    FocusedTitle,
    /// The selected row where keys go.
    Selected,
    /// The selected row elsewhere.
    SelectedElsewhere,
    /// The bytes of the selected field.
    Payload,
    /// The header of the selected attribute.
    Header,
    /// The byte under the cursor.
    Byte,
    /// A filter that is right.
    Valid,
    /// A filter that is wrong.
    Invalid,
    /// The rows at the bottom.
    Status,
    /// What lies on top.
    Overlay,
}

/// A row: 256 colours, 16 colours, none.
type Look = [Style; 3];

const fn fg(color: Color) -> Style {
    Style::new().fg(color)
}

const fn on(color: Color, back: Color) -> Style {
    Style::new().fg(color).bg(back)
}

const PLAIN: Style = Style::new();
const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);
const DIM: Style = Style::new().add_modifier(Modifier::DIM);
const UNDERLINED: Style = Style::new().add_modifier(Modifier::UNDERLINED);
const REVERSED: Style = Style::new().add_modifier(Modifier::REVERSED);
const REVERSED_BOLD: Style = REVERSED.add_modifier(Modifier::BOLD);
const STRONG: Style = BOLD.add_modifier(Modifier::UNDERLINED);

const fn indexed(number: u8) -> Color {
    Color::Indexed(number)
}

#[rustfmt::skip]
fn role_look(role: Role) -> Look {
    match role {
        Role::Plain | Role::Value | Role::Port => [PLAIN, PLAIN, PLAIN],
        Role::Number | Role::Time | Role::Label | Role::Aside => [fg(indexed(245)), DIM, DIM],
        Role::ToKernel | Role::Good => [fg(indexed(114)), fg(Color::Green), BOLD],
        Role::FromKernel | Role::Family => [fg(indexed(111)), fg(Color::Cyan), PLAIN],
        Role::Multicast | Role::Group => [fg(indexed(176)), fg(Color::Magenta), PLAIN],
        Role::Message => [BOLD, BOLD, BOLD],
        Role::Name => [fg(indexed(80)), fg(Color::Cyan), PLAIN],
        Role::Flag | Role::Hint | Role::Unknown => [fg(indexed(180)), fg(Color::Yellow), PLAIN],
        Role::Warning => [fg(indexed(215)), fg(Color::Yellow).add_modifier(Modifier::BOLD), BOLD],
        Role::Error => [fg(indexed(203)).add_modifier(Modifier::BOLD), fg(Color::Red).add_modifier(Modifier::BOLD), STRONG],
    }
}

#[rustfmt::skip]
fn part_look(part: Part) -> Look {
    match part {
        Part::Title => [on(indexed(250), indexed(236)), on(Color::Black, Color::Gray), DIM.add_modifier(Modifier::UNDERLINED)],
        Part::FocusedTitle => [on(indexed(231), indexed(25)).add_modifier(Modifier::BOLD), on(Color::White, Color::Blue).add_modifier(Modifier::BOLD), STRONG],
        Part::Selected => [Style::new().bg(indexed(24)), REVERSED, REVERSED],
        Part::SelectedElsewhere => [Style::new().bg(indexed(238)), REVERSED, REVERSED],
        Part::Payload => [on(indexed(231), indexed(24)), REVERSED, REVERSED],
        Part::Header => [on(indexed(250), indexed(238)), UNDERLINED, UNDERLINED],
        Part::Byte => [on(indexed(16), indexed(215)), on(Color::Black, Color::Yellow), REVERSED_BOLD.add_modifier(Modifier::UNDERLINED)],
        Part::Valid => [on(indexed(157), indexed(22)), on(Color::Black, Color::Green), UNDERLINED],
        Part::Invalid => [on(indexed(224), indexed(52)), on(Color::White, Color::Red), STRONG],
        Part::Status => [on(indexed(250), indexed(235)), PLAIN, PLAIN],
        Part::Overlay => [Style::new().bg(indexed(234)), PLAIN, PLAIN],
    }
}

impl Palette {
    /// What text looks like.
    #[must_use]
    pub(crate) fn text(self, role: Role) -> Style {
        role_look(role)[self as usize]
    }

    /// What a part looks like.
    #[must_use]
    pub(crate) fn part(self, part: Part) -> Style {
        part_look(part)[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(variables: &[(&str, &str)], expected: Palette) {
        let palette = Palette::of_terminal(|name| {
            let found = variables.iter().find(|(of, _)| *of == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        assert_eq!(palette, expected);
    }

    #[test]
    fn the_environment_tells_the_colours() {
        check(&[("TERM", "xterm-256color")], Palette::Many);
        check(
            &[("TERM", "xterm"), ("COLORTERM", "truecolor")],
            Palette::Many,
        );
        check(&[("TERM", "linux")], Palette::Sixteen);
        check(&[("TERM", "vt220")], Palette::None);
        check(
            &[("TERM", "xterm-256color"), ("NO_COLOR", "1")],
            Palette::None,
        );
        check(
            &[("TERM", "xterm-256color"), ("NO_COLOR", "")],
            Palette::Many,
        );
    }
}
