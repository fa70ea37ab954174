//! The program as a process, for tests that look at what it prints.
#![allow(dead_code, reason = "each test uses what it needs")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A capture that is in the repository.
pub(crate) fn capture(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("../captures").join(name)
}

/// A file made for a test, gone when it ends.
pub(crate) struct Made(pub(crate) PathBuf);

impl Made {
    pub(crate) fn new(name: &str, bytes: &[u8]) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::write(&path, bytes).unwrap();
        Self(path)
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        // What is left over is overwritten the next time.
        let _ = fs::remove_file(&self.0);
    }
}

/// The program, with nothing on standard input.
pub(crate) fn nlscope(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nlscope"));
    command
        .args(args)
        .env_remove("NO_COLOR")
        .stdin(Stdio::null());
    command
}

pub(crate) fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

/// Runs with `path` as the last argument: exit status, lines on standard output, and
/// standard error with the path replaced by FILE.
pub(crate) fn on(args: &[&str], path: &Path) -> (Option<i32>, usize, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = nlscope(args).arg(path).output().unwrap();
    let errors = text(&stderr).replace(&path.display().to_string(), "FILE");
    (status.code(), text(&stdout).lines().count(), errors)
}

/// Runs with these bytes on standard input.
pub(crate) fn fed(args: &[&str], bytes: &[u8]) -> Output {
    let mut child = nlscope(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let bytes = bytes.to_vec();
    // Whoever does not read to the end closes the pipe.
    let feeder = std::thread::spawn(move || drop(stdin.write_all(&bytes)));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    output
}
