//! The files that the interface writes: recordings of what comes, and what is in its list.

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use nlscope_dissector::export::Role;
use nlscope_dissector::schema::Schema;

use crate::app::App;
use crate::record::{self, RecordError, Recorder, Recording};
use crate::source::{SocketChange, SourceEvent};

/// What is written, and what has to stand at the beginning of a recording.
pub(crate) struct Files {
    schema: Arc<Schema>,
    recording: Option<Recording>,
    /// The names of interfaces, and our own questions with the answers that name families
    /// and interfaces.
    beginning: Vec<SourceEvent>,
}

impl Files {
    /// None yet.
    pub(crate) fn new(schema: Arc<Schema>) -> Self {
        Self {
            schema,
            recording: None,
            beginning: Vec::new(),
        }
    }

    /// Takes what a source tells, before the interface does.
    pub(crate) fn take(&mut self, event: &SourceEvent, app: &mut App) {
        match event {
            SourceEvent::Interface(_) => self.beginning.push(event.clone()),
            // The first frames are our own; what comes after is not for the beginning.
            SourceEvent::Segment(_) if app.messages().count() == 0 => {
                self.beginning.push(event.clone());
            }
            SourceEvent::Frames(frames) if app.messages().count() == 0 => {
                if frames.iter().all(|entry| entry.own) {
                    self.beginning.push(event.clone());
                } else {
                    self.beginning
                        .pop_if(|it| matches!(it, SourceEvent::Segment(_)));
                }
            }
            _ => {}
        }
        let taken = self.recording.as_mut().map(|it| it.take(event, None));
        if let Some(Err(error)) = taken {
            self.broke_off(&error, app);
        }
    }

    /// Writes what waits, and says how far the recording is; whether there is one.
    pub(crate) fn keep_up(&mut self, app: &mut App) -> bool {
        let Some(recording) = &mut self.recording else {
            return false;
        };
        let before = recording.written();
        match recording.flush_in_time() {
            Ok(()) => {
                let path = recording.path().display().to_string();
                let written = recording.written();
                app.recorded(Some((path, written)));
                written != before
            }
            Err(error) => {
                self.broke_off(&error, app);
                true
            }
        }
    }

    fn broke_off(&mut self, error: &RecordError, app: &mut App) {
        self.recording = None;
        app.recorded(None);
        app.receive(SourceEvent::Notice(format!("the recording ended: {error}")));
    }

    /// Begins a recording, or ends the one that goes on.
    pub(crate) fn record(&mut self, app: &mut App) {
        if let Some(mut recording) = self.recording.take() {
            app.recorded(None);
            let path = recording.path().display().to_string();
            match recording.finish() {
                Ok(summary) => {
                    let frames = summary.packets;
                    app.answer(Role::Good, format!("{frames} frames are in {path}"));
                }
                Err(error) => app.answer(Role::Error, error.to_string()),
            }
            return;
        }
        match self.begin(app) {
            Ok(recording) => self.recording = Some(recording),
            Err(error) => app.answer(Role::Error, error.to_string()),
        }
    }

    /// A recording that begins with all the names there are.
    fn begin(&self, app: &App) -> Result<Recording, RecordError> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let name = record::numbered(
            Path::new("nlscope.pcapng"),
            1,
            since.map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(0)),
            0,
        );
        let recorder = Recorder::create_new(&name, None)?;
        let mut recording = Recording::new(recorder, Arc::clone(&self.schema));
        for event in &self.beginning {
            recording.take(event, None)?;
        }
        for socket in app.live().sockets() {
            let present = SocketChange::Present(socket.clone());
            recording.take(&SourceEvent::Socket(present), None)?;
        }
        Ok(recording)
    }

    /// Saves the list.
    pub(crate) fn save(&self, app: &mut App, name: &str) {
        let filter = app.rows().filter_text();
        let comment = (!filter.is_empty()).then(|| format!("filter: {filter}"));
        let saved = record::save(
            app.messages(),
            app.rows().visible(),
            &self.beginning,
            Path::new(name),
            comment,
        );
        match saved {
            Ok(frames) => app.answer(Role::Good, format!("{frames} frames are in {name}")),
            Err(error) => app.answer(Role::Error, error.to_string()),
        }
    }

    /// Ends a recording that goes on.
    ///
    /// # Errors
    ///
    /// Its end cannot be written.
    pub(crate) fn end(self) -> Result<(), RecordError> {
        match self.recording {
            Some(mut recording) => recording.finish().map(drop),
            None => Ok(()),
        }
    }
}
