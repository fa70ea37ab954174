//! The proof that the tables are right: every number of an attribute, an entry, a message
//! and a multicast group, and every layout of a struct, is compared with the C headers
//! that the table names. `.ci/headers` fetches them and runs this with
//!
//! - `NLSCOPE_UAPI_HEADERS`: the folder of includes of the newest kernel's UAPI,
//! - `NLSCOPE_KERNEL_TREE`: its source, for what only the kernel's own headers say.

#![allow(missing_docs, reason = "a test")]

#[path = "headers/claims.rs"]
mod claims;
#[path = "headers/compiler.rs"]
mod compiler;
#[path = "headers/fragments.rs"]
mod fragments;
#[path = "../src/schema/ynl/spec/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "the library has this module too")]
mod spec;

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::{env, fs};

use claims::{Claim, Kind, Table};
use compiler::{Compiler, Fault};

/// The tables of this crate.
fn built_in() -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/schema");
    let entries = fs::read_dir(folder).expect(folder);
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect(folder).path()).collect();
    paths.retain(|path| path.extension().is_some_and(|it| it == "yaml"));
    paths.sort();
    let read = |path: &PathBuf| {
        (
            path.display().to_string(),
            fs::read_to_string(path).unwrap(),
        )
    };
    paths.iter().map(read).collect()
}

/// What tables claim, each given as a path and its text.
fn claimed(files: &[(String, String)]) -> Vec<Table> {
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    let model = spec::load(&files).unwrap_or_else(|error| panic!("{error}"));
    let parsed = files.iter().map(|(path, text)| {
        let parsed = spec::source::parse(path, text);
        parsed.unwrap_or_else(|error| panic!("{error}"))
    });
    let sources: Vec<_> = parsed.collect();
    claims::of(&sources, &model)
}

/// What was found out.
#[derive(Default)]
struct Report {
    holds: BTreeMap<Kind, usize>,
    faults: Vec<String>,
    skipped: Vec<String>,
}

impl Report {
    fn table(&mut self, table: &Table, uapi: &Path, tree: Option<&Path>, compiler: &Compiler) {
        let name = &table.name;
        let Some(headers) = &table.headers else {
            self.faults.push(format!(
                "{name}: no uapi-header (an empty list where none has it)"
            ));
            return;
        };
        if headers.is_empty() {
            return;
        }
        let (includes, own): (Vec<String>, Vec<String>) = headers
            .iter()
            .cloned()
            .partition(|it| uapi.join(it).is_file());
        let mut texts = Vec::new();
        for header in &own {
            let Some(tree) = tree else {
                self.skipped.push(format!("{name}: {header}"));
                return;
            };
            let places = [tree.join(header), tree.join("include").join(header)];
            match places.iter().find_map(|path| fs::read_to_string(path).ok()) {
                Some(text) => texts.push(text),
                None => self
                    .faults
                    .push(format!("{name}: there is no header {header}")),
            }
        }
        let wanted = table.claims.iter().map(|claim| claim.expression.as_str());
        let fragments = fragments::needed(texts.iter().map(String::as_str), wanted);
        match compiler.check(&includes, &fragments, &table.claims) {
            Ok(faults) => self.compared(table, &faults),
            Err(said) => self.faults.push(format!("{name}: {said}")),
        }
    }

    fn compared(&mut self, table: &Table, faults: &BTreeMap<usize, Fault>) {
        let missing = |(index, fault): (&usize, &Fault)| match fault {
            Fault::Missing(_) => Some(&table.claims[*index]),
            Fault::Differs(_) => None,
        };
        // Nothing else is said about a struct that is not there.
        let absent = faults.iter().filter_map(missing);
        let absent: HashSet<&str> = absent
            .filter(|claim| claim.kind == Kind::Struct)
            .map(|claim| claim.place.as_str())
            .collect();
        for (index, claim) in table.claims.iter().enumerate() {
            let Claim {
                kind,
                place,
                expression,
                value,
            } = claim;
            let member = matches!(kind, Kind::Offset | Kind::Length | Kind::Sign);
            match faults.get(&index) {
                None => *self.holds.entry(*kind).or_default() += 1,
                Some(_) if member && absent.contains(place.as_str()) => {}
                Some(Fault::Differs(actual)) => self.faults.push(format!(
                    "{}: {place}: {expression} is {actual}, not {}",
                    table.name,
                    value.unwrap_or_default()
                )),
                Some(Fault::Missing(said)) => {
                    let said = said.split("; did you mean").next().unwrap_or(said);
                    let name = &table.name;
                    let missing =
                        format!("{name}: {place}: {expression} is in none of the headers");
                    let plain = ["undeclared", "incomplete type"]
                        .iter()
                        .any(|it| said.contains(it));
                    self.faults.push(if plain {
                        missing
                    } else {
                        format!("{missing}: {said}")
                    });
                }
            }
        }
    }
}

/// Prints what somebody has to see also where the test passes: past the test's capture.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

#[test]
fn tables_agree_with_the_headers() {
    let folder = |variable| env::var_os(variable).map(PathBuf::from);
    let tables = claimed(&built_in());
    let Some(uapi) = folder("NLSCOPE_UAPI_HEADERS") else {
        say("SKIPPED: the tables were not compared with the C headers.");
        say("SKIPPED: .ci/headers does so, or set NLSCOPE_UAPI_HEADERS and NLSCOPE_KERNEL_TREE.");
        return;
    };
    let tree = folder("NLSCOPE_KERNEL_TREE");
    let compiler = Compiler::new(&uapi, PathBuf::from(env!("CARGO_TARGET_TMPDIR")));
    let mut report = Report::default();
    for table in &tables {
        report.table(table, &uapi, tree.as_deref(), &compiler);
    }
    for (kind, count) in &report.holds {
        say(&format!(
            "{count:6} {} agree with the headers",
            kind.plural()
        ));
    }
    for skipped in &report.skipped {
        say(&format!(
            "SKIPPED, as NLSCOPE_KERNEL_TREE is not set: {skipped}"
        ));
    }
    let faults = &report.faults;
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

/// What is told about a table with `uapi.h`, of the UAPI, and `own.h`, of the kernel's own.
#[track_caller]
fn check(definitions: &str, uapi: &str, own: &str, told: &[&str]) {
    let place = std::panic::Location::caller().line();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("headers-{place}"));
    let (includes, tree) = (folder.join("uapi"), folder.join("tree"));
    for (folder, name, text) in [(&includes, "uapi.h", uapi), (&tree, "own.h", own)] {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join(name), text).unwrap();
    }
    let table = format!("name: t\nuapi-header: [uapi.h, own.h]\n{definitions}");
    let compiler = Compiler::new(&includes, folder);
    let mut report = Report::default();
    for table in claimed(&[("t.yaml".to_owned(), table)]) {
        report.table(&table, &includes, Some(&tree), &compiler);
    }
    assert_eq!(report.faults, told);
}

#[test]
fn a_wrong_number_is_told() {
    let set = "attribute-sets:
      - {name: s, name-prefix: a-, attributes: [{name: x, type: u8}, {name: y, type: u8}, {name: z, type: u8}]}";
    check(
        set,
        "enum { A_UNSPEC, A_X, A_Y = 4 };",
        "",
        &[
            "t: s: A_Y is 4, not 2",
            "t: s: A_Z is in none of the headers",
        ],
    );
    let bits = "definitions:
      - {name: f, type: flags, name-prefix: f-, entries: [a, b, {name: c, value: 31}]}
      - {name: n, type: flags, name-prefix: n-, byte-order: big-endian, entries: [a]}
      - {name: e, type: enum, name-prefix: e-, entries: [{name: a, value: -1}, {name: b, c-name: \"\"}]}";
    check(
        bits,
        "#include <asm/byteorder.h>
         #define F_A 1
         #define F_B 1
         #define F_C (1 << 31)
         #define N_A __cpu_to_be16(1)
         #define E_A -1",
        "",
        &["t: f: F_B is 1, not 2"],
    );
}

#[test]
fn a_wrong_layout_is_told() {
    let layout = "definitions:
      - name: some-struct
        type: struct
        members: [{name: a, type: u16}, {name: b, type: u16, c-name: u.b}, {name: not-in-c, type: u8, c-name: \"\"}]
      - {name: absent, type: struct, members: [{name: a, type: u8}]}";
    check(
        layout,
        "struct some_struct { short a; union { unsigned int b; } u; };",
        "",
        &[
            "t: some-struct: sizeof(struct some_struct) is 8, not 6",
            "t: some-struct: IS_SIGNED(((struct some_struct *)0)->a) is 1, not 0",
            "t: some-struct: __builtin_offsetof(struct some_struct, u.b) is 4, not 2",
            "t: some-struct: sizeof(((struct some_struct *)0)->u.b) is 4, not 2",
            "t: absent: sizeof(struct absent) is in none of the headers",
        ],
    );
}

#[test]
fn what_is_needed_of_the_kernels_own_headers_is_taken_out() {
    let mixed = "definitions:
      - {name: e, type: enum, name-prefix: e-, entries: [a, b, {name: c, value: 5}]}
      - {name: bit, type: flags, name-prefix: bit-, entries: [one]}
      - {name: s, type: struct, packed: true, members: [{name: a, type: u8}, {name: b, type: u32}]}";
    check(
        mixed,
        "",
        "#include <linux/nowhere.h>
         /* struct s { comment; }; */
         static inline int f(struct sk_buff *skb) { return skb->len; }
         #define __BIT(name) (1 << NUMBER_ ## name)
         #define BIT_ONE __BIT(ONE)
         enum { NUMBER_ONE = 3 };
         enum e { E_A, // first
             E_B,
         #ifdef CONFIG_SOMETHING
             E_C = 5,
         #endif
         };
         struct s { u8 a; u32 b; } __packed;",
        &["t: bit: BIT_ONE is 8, not 1"],
    );
}
