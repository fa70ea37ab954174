//! Every capture in memory, fed to a context: what the benchmarks work on.

#[path = "../../tests/captures/mod.rs"]
mod captures;

use std::ops::Range;
use std::sync::Arc;

use nlscope_dissector::capture::Frame;
use nlscope_dissector::context::{Context, Record};
use nlscope_dissector::schema::Schema;

use captures::OwnedFrame;

/// A capture, and what a context that saw all of it knows.
pub(crate) struct Fed {
    /// Knows all of the capture.
    pub(crate) context: Context,
    /// Of all messages.
    pub(crate) records: Vec<Record>,
    frames: Vec<OwnedFrame>,
    /// Which of the records are each frame's.
    spans: Vec<Range<usize>>,
}

impl Fed {
    fn new(frames: Vec<OwnedFrame>, schema: &Arc<Schema>) -> Self {
        let mut context = Context::new(Arc::clone(schema));
        for frame in &frames {
            context.learn(&frame.frame());
        }
        let (mut records, mut amendments) = (Vec::new(), Vec::new());
        let mut spans = Vec::new();
        for frame in &frames {
            let from = records.len();
            context.feed(&frame.frame(), &mut records, &mut amendments);
            spans.push(from..records.len());
        }
        Self {
            context,
            records,
            frames,
            spans,
        }
    }

    /// Every frame with its records.
    pub(crate) fn frames(&self) -> impl Iterator<Item = (Frame<'_>, &[Record])> {
        let own = self.spans.iter().map(|span| &self.records[span.clone()]);
        self.frames.iter().map(OwnedFrame::frame).zip(own)
    }
}

/// All captures, each with a context of its own.
pub(crate) fn all() -> Vec<Fed> {
    let schema = Arc::new(Schema::builtin());
    captures::all()
        .map(|(_, frames)| Fed::new(frames, &schema))
        .collect()
}
