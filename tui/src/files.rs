//! The files that the interface writes: recordings of what comes, and what is in its list.

use std::path::Path;
use std::sync::Arc;

use nlscope_dissector::export::Role;
use nlscope_dissector::schema::Schema;

use crate::app::App;
use crate::clock::now;
use crate::record::{self, RecordError, Recorder, Recording};
use crate::source::{self, SocketChange, SourceEvent};

/// How many names are tried before none is proposed.
const MAX_PROPOSED: u32 = 1000;

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
        let error = words(error, app);
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
                Err(error) => app.answer(Role::Error, words(&error, app)),
            }
            return;
        }
        match self.begin(app) {
            Ok(recording) => self.recording = Some(recording),
            Err(error) => app.answer(Role::Error, words(&error, app)),
        }
    }

    /// A recording that begins with all the names there are.
    fn begin(&self, app: &App) -> Result<Recording, RecordError> {
        let name = record::numbered(
            Path::new("nlscope.pcapng"),
            1,
            now().0.max(0).unsigned_abs(),
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
        let saved = saved
            .map(|frames| format!("{frames} frames are in {name}"))
            .map_err(|error| words(&error, app));
        app.saved(name, saved);
    }

    /// A name for a file that is not there yet.
    pub(crate) fn free_name() -> String {
        free_name_in(Path::new(""))
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

/// The first of the proposed names that no file in `folder` has.
fn free_name_in(folder: &Path) -> String {
    let numbered = (2..=MAX_PROPOSED).map(|number| format!("nlscope-{number}.pcapng"));
    let mut names = std::iter::once("nlscope.pcapng".to_owned()).chain(numbered);
    let free = names.find(|name| !folder.join(name).exists());
    free.unwrap_or_default()
}

/// What went wrong, for somebody who gave no options.
fn words(error: &RecordError, app: &App) -> String {
    match error {
        // The sandbox lets nothing else be written.
        RecordError::Create { path, error } if app.live().is_on() => {
            let path = path.display();
            let error = source::words(error);
            // What to do stands first, because a line is cut at its end.
            let folder = "the folder nlscope was started in";
            format!("files can be written in {folder}, not as {path}: {error}")
        }
        RecordError::NotAFile { path, what } => {
            let path = path.display();
            format!("{path} is {what}; name a file that is not there yet")
        }
        RecordError::Write {
            path,
            error,
            packets,
            end,
        } => {
            let path = path.display();
            let error = source::words(error);
            format!("writing to {path} failed: {error}; frames in it: {packets}; {end}")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::{env, fs, io, process};

    use super::*;
    use crate::app::Settings;

    #[track_caller]
    fn check(live: Option<usize>, error: io::ErrorKind, expected: &[&str]) {
        let app = App::new(Settings {
            live,
            ..Settings::usual("", Arc::new(Schema::builtin()))
        });
        let error = RecordError::Create {
            path: "/root/x".into(),
            error: error.into(),
        };
        let told = words(&error, &app.unwrap());
        for part in expected {
            assert!(told.contains(part), "no {part:?} in {told:?}");
        }
        assert!(!told.contains("-w"), "{told}");
    }

    #[test]
    fn where_files_can_be_written_is_told() {
        let denied = io::ErrorKind::PermissionDenied;
        let folder = "the folder nlscope was started in";
        check(Some(0), denied, &[folder, "/root/x", "denied"]);
        check(None, denied, &["cannot write to /root/x", "denied"]);
    }

    #[test]
    fn a_name_is_proposed_that_no_file_has() {
        let folder = env::temp_dir().join(format!("nlscope-files-{}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        assert_eq!(free_name_in(&folder), "nlscope.pcapng");
        for name in ["nlscope.pcapng", "nlscope-2.pcapng"] {
            fs::write(folder.join(name), "").unwrap();
        }
        assert_eq!(free_name_in(&folder), "nlscope-3.pcapng");
        fs::remove_dir_all(&folder).unwrap();
    }
}
