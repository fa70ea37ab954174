//! `nlscope stats`: a capture summed up by family.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use anyhow::bail;
use nlscope_dissector::context::{Context, Head, MessageView};
use nlscope_dissector::export::{Coverage, coverage};
use nlscope_dissector::schema::base;
use nlscope_dissector::tape::Tape;
use nlscope_dissector::text::Escaped;
use nlscope_dissector::wire::protocol;
use serde::Serialize;

use crate::cli::{Stats, StatsFormat};
use crate::source::SourceError;
use crate::whole::WholeCapture;
use crate::{Status, complain, input};

/// Sums up a capture.
///
/// # Errors
///
/// Nothing could be read, or the sums not be written.
pub(crate) fn run(args: Stats) -> anyhow::Result<Status> {
    let input = input(args.file)?;
    let name = input.to_string();
    let mut context = args.known.context()?;
    let notice = |text: &str| complain(&format_args!("{name}: {text}"));
    let (capture, end) = WholeCapture::read(input, &mut context, notice)?;
    let status = match end {
        Ok(()) => Status::Well,
        Err(SourceError::Unusable(text)) => bail!("{name}: {text}"),
        Err(SourceError::Damaged(text)) => {
            notice(&text);
            Status::Damaged
        }
    };
    let rows = Sums::of(&capture, &context).rows(args.coverage);
    for id in rows
        .iter()
        .filter_map(|row| row.family.strip_prefix(UNNAMED))
    {
        notice(&format!(
            "nothing in it says which generic netlink family has the id {id}; --genl {id}=NAME does"
        ));
    }
    let text = match args.format {
        StatsFormat::Text => table(&rows, args.coverage),
        StatsFormat::Json => json(&rows, args.coverage)?,
    };
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(status)
}

/// What stands before the id of a generic netlink family without a name.
const UNNAMED: &str = "generic ";

/// What a family, or all of them, comes to.
#[derive(Debug, Clone, Default)]
struct Row {
    family: String,
    messages: u64,
    coverage: Coverage,
}

impl Row {
    fn nameless(&self) -> u64 {
        self.coverage.bytes - self.coverage.named
    }

    /// The part of the bytes that has a name, in thousandths of a percent, rounded down: only
    /// what is whole is 100%.
    fn thousandths(&self) -> u64 {
        match self.coverage.bytes {
            0 => 100_000,
            bytes => self.coverage.named * 100_000 / bytes,
        }
    }
}

#[derive(Default)]
struct Sums {
    families: HashMap<String, Row>,
}

impl Sums {
    fn of(capture: &WholeCapture, context: &Context) -> Self {
        let mut sums = Self::default();
        let mut tape = Tape::new();
        for (frame, records) in capture.frames() {
            context.dissect(&frame, records, &mut tape);
            for record in records {
                let mark = tape.message(record.nth as usize);
                if let (Some(head), Some(mark)) = (context.head(&frame, record), mark) {
                    sums.add(&MessageView {
                        head,
                        tape: &tape,
                        mark,
                        request: None,
                    });
                }
            }
        }
        sums
    }

    fn add(&mut self, view: &MessageView<'_>) {
        let family = family(&view.head);
        let row = self.families.entry(family).or_default();
        row.messages += 1;
        row.coverage += coverage(view);
    }

    /// A row a family, and the last for all of them.
    fn rows(self, by_nameless: bool) -> Vec<Row> {
        let mut rows: Vec<Row> = self
            .families
            .into_iter()
            .map(|(family, row)| Row { family, ..row })
            .collect();
        let bytes = |row: &Row| {
            if by_nameless {
                row.nameless()
            } else {
                row.coverage.bytes
            }
        };
        rows.sort_by(|a, b| {
            bytes(b)
                .cmp(&bytes(a))
                .then_with(|| a.family.cmp(&b.family))
        });
        let mut all = Row {
            family: "all".to_owned(),
            ..Row::default()
        };
        for row in &rows {
            all.messages += row.messages;
            all.coverage += row.coverage;
        }
        rows.push(all);
        rows
    }
}

/// The family's name; the protocol's where no family is known, with the id that a generic
/// netlink family has in this capture.
fn family(head: &Head<'_>) -> String {
    if let Some(name) = head.family_name() {
        return Escaped(name.as_bytes()).to_string();
    }
    match (head.protocol, head.header.kind) {
        (protocol::GENERIC, id @ 16..) => format!("{UNNAMED}{id}"),
        (number, _) => base::protocol_entry(number).map_or_else(
            || format!("protocol {number}"),
            |entry| entry.name.to_owned(),
        ),
    }
}

fn table(rows: &[Row], with_coverage: bool) -> String {
    let width = rows.iter().map(|row| row.family.chars().count()).max();
    let width = width.unwrap_or(0).max("family".len());
    let mut text = format!("{:<width$}  {:>10}  {:>12}", "family", "messages", "bytes");
    if with_coverage {
        let _ = write!(text, "  {:>12}  {:>8}", "nameless", "named");
    }
    text.push('\n');
    for row in rows {
        let (messages, bytes) = (row.messages, row.coverage.bytes);
        let _ = write!(text, "{:<width$}  {messages:>10}  {bytes:>12}", row.family);
        if with_coverage {
            let (whole, part) = (row.thousandths() / 1000, row.thousandths() % 1000);
            let _ = write!(text, "  {:>12}  {whole:>3}.{part:03}%", row.nameless());
        }
        text.push('\n');
    }
    text
}

/// A row as JSON.
#[derive(Serialize)]
struct Object<'a> {
    family: &'a str,
    messages: u64,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    named: Option<u64>,
}

/// An object a family and line.
fn json(rows: &[Row], with_coverage: bool) -> anyhow::Result<String> {
    let mut text = String::new();
    for row in rows.iter().take(rows.len().saturating_sub(1)) {
        let object = Object {
            family: &row.family,
            messages: row.messages,
            bytes: row.coverage.bytes,
            named: with_coverage.then_some(row.coverage.named),
        };
        text.push_str(&serde_json::to_string(&object)?);
        text.push('\n');
    }
    Ok(text)
}
