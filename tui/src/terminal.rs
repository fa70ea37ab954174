//! The terminal: taking it, giving it back whatever happens, and the loop between.

use std::io::{self, Stdout, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};
use std::{panic, thread};

use anyhow::{Context as _, anyhow};
use crossterm::event::{
    self, DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
    Event, KeyEventKind, MouseButton, MouseEventKind,
};
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGTSTP};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::app::{Action, App, Edit, Effect, Reading, Settings, Way};
use crate::clock::now;
use crate::files::Files;
use crate::keymap;
use crate::source::{SourceError, SourceEvent};
use crate::view::{self, Palette};
use crate::{Status, complain};

/// How long the interface works before it looks at the keyboard again.
const SLICE: Duration = Duration::from_millis(24);
/// How long it waits for a key while the source may bring something.
const POLL: Duration = Duration::from_millis(40);
/// After how long without anything new the source is quiet.
const QUIET: Duration = Duration::from_secs(1);
/// How long it waits with nothing else to do, or when the source has been quiet for
/// [`QUIET`]; a signal is noticed after this at the latest.
const IDLE: Duration = Duration::from_millis(200);
/// How long the interface has to end by itself after a signal.
const GRACE: Duration = Duration::from_secs(2);

/// Whether the terminal is ours.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// What the interface needs of the system, which it has to ask for before a sandbox
/// closes.
pub(crate) struct Prepared {
    signals: Signals,
}

/// Prepares the terminal and the handling of signals.
///
/// # Errors
///
/// The system does not let us.
pub(crate) fn prepare() -> anyhow::Result<Prepared> {
    let signals = Signals::new([SIGTERM, SIGINT, SIGHUP]).context("cannot listen for signals")?;
    // The first look at the keyboard opens what later ones use.
    event::poll(Duration::ZERO).context("cannot use the terminal")?;
    Ok(Prepared { signals })
}

/// Shows what `source` brings until the person has seen enough. Returns whether the input
/// was damaged.
///
/// # Errors
///
/// The filter to begin with is wrong, nothing could be read, or the terminal does not work.
pub(crate) fn run(
    source: &Receiver<SourceEvent>,
    settings: Settings,
    palette: Palette,
    prepared: Prepared,
) -> anyhow::Result<Status> {
    let filter = settings.filter.clone();
    let schema = Arc::clone(&settings.schema);
    let mut app =
        App::new(settings).map_err(|error| anyhow!("filter: {}", error.render(&filter)))?;
    let signal = catch_signals(prepared.signals)?;
    let mut files = Files::new(schema);
    let before = panic::take_hook();
    let interface = thread::current().id();
    panic::set_hook(Box::new(move |info| {
        // What another thread has to say would spoil the screen; that it is gone is seen
        // at its channel.
        let ours = thread::current().id() == interface;
        if ours || !TAKEN.load(Ordering::SeqCst) {
            give_back();
            before(info);
        }
    }));
    let ended = take()
        .and_then(|()| Terminal::new(CrosstermBackend::new(stdout())))
        .context("cannot use the terminal")
        .and_then(|mut terminal| {
            run_loop(
                &mut app,
                &mut files,
                source,
                &signal,
                &mut terminal,
                palette,
            )
        });
    give_back();
    let recorded = files.end();
    ended?;
    recorded?;
    let signal = signal.load(Ordering::Relaxed);
    if signal != 0 {
        emulate_default_handler(signal).context("cannot end by the signal")?;
    }
    match app.reading() {
        Reading::Ended(Err(SourceError::Unusable(text))) => Err(anyhow!("{}: {text}", app.title())),
        Reading::Ended(Err(SourceError::Damaged(text))) => {
            complain(&format!("{}: {text}", app.title()));
            Ok(Status::Damaged)
        }
        _ => Ok(Status::Well),
    }
}

fn run_loop(
    app: &mut App,
    files: &mut Files,
    source: &Receiver<SourceEvent>,
    signal: &AtomicI32,
    terminal: &mut Terminal<CrosstermBackend<Stdout>>,
    palette: Palette,
) -> anyhow::Result<()> {
    let size = terminal.size()?;
    app.update(Action::Resize(size.width, size.height));
    let mut open = true;
    let mut changed = true;
    let mut heard = Instant::now();
    while signal.load(Ordering::Relaxed) == 0 {
        changed |= receive(app, files, source, &mut open);
        changed |= files.keep_up(app);
        let unusable = matches!(app.reading(), Reading::Ended(Err(SourceError::Unusable(_))));
        if unusable && app.messages().count() == 0 && !app.has_work() {
            return Ok(());
        }
        if app.has_work() {
            app.work(SLICE);
            changed = true;
        }
        if changed {
            heard = Instant::now();
            terminal.draw(|frame| view::draw(frame, app, palette))?;
        }
        let wait = match (app.has_work(), open) {
            (true, _) => Duration::ZERO,
            (false, true) if heard.elapsed() < QUIET => POLL,
            (false, _) => IDLE,
        };
        changed = false;
        let mut wait = wait;
        // What was typed or rolled meanwhile is one drawing.
        while event::poll(wait)? {
            wait = Duration::ZERO;
            changed = true;
            match on_event(app, event::read()?) {
                Effect::None => {}
                Effect::Quit => return Ok(()),
                Effect::Redraw => terminal.clear()?,
                Effect::Record => files.record(app),
                Effect::Name => app.type_file(Files::free_name()),
                Effect::Save(name) => files.save(app, &name),
                Effect::Suspend => {
                    give_back();
                    emulate_default_handler(SIGTSTP)?;
                    take()?;
                    let size = terminal.size()?;
                    app.update(Action::Resize(size.width, size.height));
                    terminal.clear()?;
                }
            }
        }
    }
    Ok(())
}

/// Takes what the source has ready; whether there was something.
fn receive(
    app: &mut App,
    files: &mut Files,
    source: &Receiver<SourceEvent>,
    open: &mut bool,
) -> bool {
    let begin = Instant::now();
    let mut some = false;
    while *open && begin.elapsed() < SLICE {
        match source.try_recv() {
            Ok(event) => {
                if app.live().is_on() {
                    app.set_time(now());
                }
                files.take(&event, app);
                app.receive(event);
                some = true;
            }
            Err(TryRecvError::Empty) => break,
            Err(TryRecvError::Disconnected) => {
                *open = false;
                if !matches!(app.reading(), Reading::Ended(_)) {
                    let text = "reading stopped before the end, by a mistake in the program";
                    let error = SourceError::Damaged(text.to_owned());
                    app.receive(SourceEvent::End(Err(error)));
                }
            }
        }
    }
    some
}

fn on_event(app: &mut App, event: Event) -> Effect {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => {
            match keymap::action(app.mode(), key) {
                Some(action) => app.update(action),
                None => Effect::None,
            }
        }
        Event::Mouse(mouse) => {
            let (x, y) = (mouse.column, mouse.row);
            match mouse.kind {
                MouseEventKind::Down(MouseButton::Left) => app.update(Action::Click(x, y)),
                MouseEventKind::ScrollDown => app.update(Action::Wheel(x, y, Way::Forward)),
                MouseEventKind::ScrollUp => app.update(Action::Wheel(x, y, Way::Back)),
                _ => Effect::None,
            }
        }
        Event::Resize(width, height) => app.update(Action::Resize(width, height)),
        Event::Paste(text) => {
            for c in text.chars() {
                app.update(Action::Edit(Edit::Insert(c)));
            }
            Effect::None
        }
        _ => Effect::None,
    }
}

/// Switches the terminal over.
fn take() -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    execute!(
        stdout(),
        EnterAlternateScreen,
        EnableMouseCapture,
        EnableBracketedPaste,
        cursor::Hide
    )
}

/// Makes the terminal what it was.
fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        // There is nobody left to be told of an error.
        let _ = execute!(
            stdout(),
            DisableBracketedPaste,
            DisableMouseCapture,
            LeaveAlternateScreen,
            cursor::Show
        );
        let _ = disable_raw_mode();
    }
}

/// Notes signals that end the program, so that the loop can end by itself. If it does
/// not, the terminal is given back all the same.
fn catch_signals(mut signals: Signals) -> anyhow::Result<Arc<AtomicI32>> {
    let caught = Arc::new(AtomicI32::new(0));
    let noted = Arc::clone(&caught);
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            for signal in signals.forever() {
                noted.store(signal, Ordering::Relaxed);
                thread::sleep(GRACE);
                give_back();
                // If even that fails there is nothing left to do.
                let _ = emulate_default_handler(signal);
            }
        })
        .context("cannot start a thread")?;
    Ok(caught)
}
