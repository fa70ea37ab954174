//! Asks the C compiler.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::claims::Claim;
use crate::fragments::{Fragment, MACROS, TYPES, identifiers};

/// The compiler, and where the headers are.
#[derive(Debug)]
pub(crate) struct Compiler {
    /// Folders for includes.
    folders: Vec<PathBuf>,
    /// What is written goes here.
    scratch: PathBuf,
    clang: bool,
}

/// What is wrong with a claim.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// What it is.
    Differs(u64),
    /// What the compiler says.
    Missing(String),
}

/// The name that the lines of claims have in what the compiler says.
const CLAIMS: &str = "claims";
/// Likewise for fragments, with a number behind it.
const FRAGMENT: &str = "fragment-";
/// What the compiler says of an assertion that fails.
const DIFFERS: &str = "it differs";
/// How often fragments that do not compile are taken out.
const ROUNDS: usize = 8;

impl Compiler {
    /// One with the includes in `root`; what it writes goes to `scratch`.
    pub(crate) fn new(root: &Path, scratch: PathBuf) -> Self {
        // Beside what every architecture has, this machine's.
        let own = root.join(format!("{}-linux-gnu", std::env::consts::ARCH));
        let version = Command::new("cc").arg("--version").output().expect("cc");
        Self {
            folders: vec![root.to_owned(), own],
            scratch,
            clang: String::from_utf8_lossy(&version.stdout).contains("clang"),
        }
    }

    /// The claims that do not hold, by index, and what is wrong with each.
    pub(crate) fn check(
        &self,
        headers: &[String],
        fragments: &[Fragment],
        claims: &[Claim],
    ) -> Result<BTreeMap<usize, Fault>, String> {
        let mut dropped: BTreeMap<usize, String> = BTreeMap::new();
        for _ in 0..ROUNDS {
            let mut text = preamble(headers, fragments, &dropped);
            let _ = writeln!(text, "#line 1 \"{CLAIMS}\"");
            for claim in claims {
                text += &assertion(claim);
            }
            let said = self.compile(&text, &["-fsyntax-only"])?;
            let mut faults = BTreeMap::new();
            let mut broken = BTreeMap::new();
            let mut elsewhere = String::new();
            for error in said.lines().filter_map(Error::read) {
                let fragment = error.file.strip_prefix(FRAGMENT);
                if error.file == CLAIMS && (1..=claims.len()).contains(&error.line) {
                    faults.entry(error.line - 1).or_insert(error.text);
                } else if let Some(Ok(index)) = fragment.map(str::parse::<usize>) {
                    broken.entry(index).or_insert_with(|| error.text.to_owned());
                } else {
                    elsewhere = format!("{}:{}: {}", error.file, error.line, error.text);
                }
            }
            // The claims may be wrong only because of these, so they are looked at again.
            if !broken.is_empty() {
                dropped.append(&mut broken);
                continue;
            }
            if !elsewhere.is_empty() {
                return Err(elsewhere);
            }
            let preamble = preamble(headers, fragments, &dropped);
            let mut faults = self.actual(&preamble, claims, faults)?;
            for (index, fault) in &mut faults {
                let wanted: Vec<&str> = identifiers(&claims[*index].expression).collect();
                let of = |at: &usize| &fragments[*at].declares;
                let why = dropped
                    .iter()
                    .find(|(at, _)| of(at).iter().any(|name| wanted.contains(&name.as_str())));
                if let (Fault::Missing(said), Some((_, why))) = (fault, why) {
                    *said = format!("its declaration does not compile: {why}");
                }
            }
            return Ok(faults);
        }
        Err("too much of the kernel's own headers does not compile".to_owned())
    }

    /// Makes a difference of each assertion that failed.
    fn actual(
        &self,
        preamble: &str,
        claims: &[Claim],
        faults: BTreeMap<usize, &str>,
    ) -> Result<BTreeMap<usize, Fault>, String> {
        let failed = |text: &str| text.contains(DIFFERS);
        let mut text = preamble.to_owned();
        text += "int printf(const char *, ...);\nint main(void)\n{\n";
        for (index, _) in faults.iter().filter(|(_, text)| failed(text)) {
            let expression = &claims[*index].expression;
            let _ = writeln!(
                text,
                "printf(\"%llu\\n\", (unsigned long long)({expression}));"
            );
        }
        text += "return 0;\n}\n";
        let mut values = String::new();
        if faults.values().any(|text| failed(text)) {
            let program = self.scratch.join("actual");
            let program = program.to_str().expect("a path that is text");
            let said = self.compile(&text, &["-o", program])?;
            let run = Command::new(program).output();
            let run = run.map_err(|error| format!("{program}: {error}: {said}"))?;
            values = String::from_utf8_lossy(&run.stdout).into_owned();
        }
        let mut values = values.lines();
        let faults = faults.into_iter().map(|(index, text)| {
            let value = if failed(text) { values.next() } else { None };
            let value = value.and_then(|value| value.parse().ok());
            let fault = value.map_or_else(|| Fault::Missing(text.to_owned()), Fault::Differs);
            (index, fault)
        });
        Ok(faults.collect())
    }

    /// Compiles a text; returns what the compiler says.
    fn compile(&self, text: &str, options: &[&str]) -> Result<String, String> {
        let mut command = Command::new("cc");
        command.args(["-std=gnu11", "-w"]);
        // All errors; and what is wrong inside a macro is wrong where the macro stands.
        command.args(if self.clang {
            &["-ferror-limit=0"][..]
        } else {
            &["-fmax-errors=0", "-ftrack-macro-expansion=0"]
        });
        for folder in &self.folders {
            command.arg("-isystem").arg(folder);
        }
        command.args(options).args(["-x", "c", "-"]);
        command.env("LC_ALL", "C");
        let pipe = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = pipe.map_err(|error| format!("cc: {error}"))?;
        let mut input = child.stdin.take().expect("piped");
        // The compiler says nothing before it has read everything.
        let written = input.write_all(text.as_bytes());
        drop(input);
        let output = child.wait_with_output();
        let output = written
            .and(output)
            .map_err(|error| format!("cc: {error}"))?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if !output.status.success() && !said.lines().any(|line| Error::read(line).is_some()) {
            return Err(said);
        }
        Ok(said)
    }
}

/// One line, so that the line says which claim it is.
fn assertion(claim: &Claim) -> String {
    let it = &claim.expression;
    match claim.value {
        None => format!("_Static_assert(({it}) >= 0, \"{DIFFERS}\");\n"),
        // A mask of 32 bits may be a negative number in C.
        Some(value) => format!(
            "_Static_assert((unsigned long long)({it}) == {value}ULL || \
             (sizeof({it}) == 4 && (unsigned int)({it}) == {value}ULL), \"{DIFFERS}\");\n"
        ),
    }
}

fn preamble(
    headers: &[String],
    fragments: &[Fragment],
    dropped: &BTreeMap<usize, String>,
) -> String {
    let mut text = String::new();
    for header in headers {
        let _ = writeln!(text, "#include <{header}>");
    }
    text += MACROS;
    if !fragments.is_empty() {
        text += TYPES;
    }
    // The whole of an enum, whatever a kernel is built with.
    let options = fragments.iter().flat_map(|it| identifiers(&it.text));
    let options: BTreeSet<&str> = options.filter(|it| it.starts_with("CONFIG_")).collect();
    for option in options {
        let _ = writeln!(text, "#define {option} 1");
    }
    for (index, fragment) in fragments.iter().enumerate() {
        if !dropped.contains_key(&index) {
            let _ = writeln!(text, "#line 1 \"{FRAGMENT}{index}\"\n{}", fragment.text);
        }
    }
    text
}

/// A line of what the compiler says.
struct Error<'a> {
    file: &'a str,
    line: usize,
    text: &'a str,
}

impl<'a> Error<'a> {
    /// `file:line:column: error: text`, the column may be absent.
    fn read(said: &'a str) -> Option<Self> {
        let (place, text) = said
            .split_once(" error: ")
            .or_else(|| said.split_once(" fatal error: "))?;
        let mut place = place.trim_end_matches(':').split(':');
        let file = place.next()?;
        let line = place.next()?.parse().ok()?;
        Some(Self { file, line, text })
    }
}
