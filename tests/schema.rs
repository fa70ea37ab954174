//! Tables beside the kernel's specifications: `schema check` and `schema import`.

mod process;

use std::fs;
use std::path::{Path, PathBuf};

use process::{nlscope, text};

const SPEC: &str = "
name: color_box
protocol: genetlink-legacy
doc: Boxes.
definitions:
  - {name: color, type: enum, doc: What it looks like., entries: [red, {name: green, doc: As grass.}, blue]}
attribute-sets:
  -
    name: box
    name-prefix: box-a-
    attributes:
      -
        name: unspec
        type: unused
        value: 0
      -
        name: width
        type: u32
        doc: How wide.
      -
        name: port
        type: u16
        byte-order: big-endian
      -
        name: color
        type: u8
        enum: color
      -
        name: inner
        type: nest
        nested-attributes: box
operations:
  list:
    -
      name: get
      doc: Looks.
      attribute-set: box
      do: {request: {attributes: [width]}, reply: {attributes: [port]}}
    - {name: paint, doc: Paints., attribute-set: box}
    - {name: paint-ntf, doc: Painted., notify: get, mcgrp: painters}
mcast-groups: {list: [{name: painters}]}
";

const IMPORTED: &str = "name: color-box
protocol: genetlink-legacy
genl-family: color_box

definitions:
  - {name: color, type: enum, entries: [red, green, blue]}

attribute-sets:
  - name: box
    name-prefix: box-a-
    attributes:
      - {name: width, type: u32}
      - {name: port, type: u16, byte-order: big-endian}
      - {name: color, type: u8, enum: color}
      - {name: inner, type: nest, nested-attributes: box}

operations:
  list:
    - {name: get, value: 1, attribute-set: box}
    - {name: paint, value: 2, attribute-set: box}
    - {name: paint-ntf, value: 3, attribute-set: box, mcgrp: painters}

mcast-groups:
  list:
    - {name: painters}
";

/// A folder made for a test, with these files.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        for (name, text) in files {
            fs::write(path.join(name), text).unwrap();
        }
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Exit status and standard output.
fn run(args: &[&str]) -> (Option<i32>, String) {
    let output = nlscope(args).output().unwrap();
    (output.status.code(), text(&output.stdout).to_owned())
}

#[test]
fn a_table_has_the_facts_of_a_specification_and_no_words() {
    let folder = Folder::new("facts", &[("color_box.yaml", SPEC)]);
    let spec = folder.file("color_box.yaml");
    assert_eq!(
        run(&["schema", "import", &spec]),
        (Some(0), IMPORTED.to_owned())
    );
}

#[test]
fn what_a_table_lacks_or_contradicts_is_listed_until_there_is_a_reason() {
    let ours = IMPORTED
        .replace(
            "      - {name: width, type: u32}\n",
            "      - {name: size, type: pad}\n",
        )
        .replace("u16, byte-order: big-endian", "u32, byte-order: big-endian")
        .replace(", enum: color}", ", display-hint: hex}")
        .replace("green, blue", "green")
        .replace("    - {name: paint, value: 2, attribute-set: box}\n", "");
    let specs = Folder::new("specs", &[("color_box.yaml", SPEC)]);
    let tables = Folder::new(
        "tables",
        &[
            ("color-box.yaml", &ours),
            (
                "same.yaml",
                "name: same\nprotocol: genetlink\noperations: {list: [{name: a}]}\n",
            ),
            ("none.tsv", "family\tplace\treason\n"),
            (
                "some.tsv",
                "family\tplace\treason
color_box\tset box port type\tthe header says so
color_box\tset box width name\tnothing was ever sent
color_box\tset box inner type\tit was wrong once
elsewhere\tset a b\tis not looked at
",
            ),
        ],
    );
    let check = |reasons: &str| {
        let folder = specs.0.display().to_string();
        let tables_folder = tables.0.display().to_string();
        let reasons = tables.file(reasons);
        run(&[
            "schema",
            "check",
            &folder,
            "--spec",
            &tables_folder,
            "--reasons",
            &reasons,
        ])
    };
    let mut differences = vec![
        "color_box\tenum color blue\t2\tnothing",
        "color_box\toperation paint\tnumber 2\tnothing",
        "color_box\tset box color enum\tcolor\tnothing",
        "color_box\tset box port type\tu16, big-endian\tu32, big-endian",
        "color_box\tset box width name\twidth\tsize",
    ];
    let listed = |lines: &[&str]| lines.join("\n") + "\n";
    assert_eq!(check("none.tsv"), (Some(1), listed(&differences)));
    differences.truncate(3);
    differences.push("color_box\tset box inner type\tno difference\ta reason");
    assert_eq!(check("some.tsv"), (Some(1), listed(&differences)));
    fs::write(tables.0.join("color-box.yaml"), IMPORTED).unwrap();
    assert_eq!(check("none.tsv"), (Some(0), String::new()));
}

#[test]
fn a_new_specification_leaves_what_the_table_has() {
    let ours = IMPORTED
        .replace(
            "type: u32}",
            "type: u32, display-hint: bytes} # not in pixels",
        )
        .replace("type: u16, byte-order: big-endian}", "type: u16}");
    let new = SPEC
        .replace("blue]", "blue, {name: black, value: 9}]")
        .replace(
            "definitions:\n",
            "definitions:\n  - {name: shape, type: enum, entries: [round]}\n  - {name: unused, type: enum, entries: [a]}\n",
        )
        .replace(
            "        nested-attributes: box\n",
            "        nested-attributes: box\n      - {name: shape, type: u8, enum: shape, doc: New.}\n",
        )
        .replace("mcast-groups:", "    - {name: drop, doc: New., attribute-set: box}\nmcast-groups:");
    let folder = Folder::new("onto", &[("color-box.yaml", &ours)]);
    let specs = Folder::new("newer", &[("color_box.yaml", &new)]);
    let (spec, tables) = (specs.file("color_box.yaml"), folder.0.display().to_string());
    let import = || run(&["schema", "import", &spec, "--onto", &tables]);
    let (status, said) = import();
    let table = folder.file("color-box.yaml");
    let mut changes: Vec<_> = said
        .lines()
        .map(|line| line.replace(&table, "FILE"))
        .collect();
    changes.sort();
    assert_eq!(status, Some(0));
    assert_eq!(
        changes,
        [
            "FILE: added attribute box shape",
            "FILE: added definition shape",
            "FILE: added entry color black",
            "FILE: added operation drop",
        ]
    );
    let expected = ours
        .replace(
            "green, blue]}\n",
            "green, blue, {name: black, value: 9}]}\n  - {name: shape, type: enum, entries: [round]}\n",
        )
        .replace(
            "nested-attributes: box}\n",
            "nested-attributes: box}\n      - {name: shape, type: u8, enum: shape}\n",
        )
        .replace(
            "mcgrp: painters}\n",
            "mcgrp: painters}\n    - {name: drop, value: 4, attribute-set: box}\n",
        );
    assert_eq!(fs::read_to_string(&table).unwrap(), expected);
    assert_eq!(import(), (Some(0), String::new()));
    assert_eq!(fs::read_to_string(&table).unwrap(), expected);
}
