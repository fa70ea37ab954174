//! Headers of the kernel's own do not compile outside it. What a table needs of them is
//! taken out: enums, structs and `#define`s.

use std::collections::HashSet;

/// A piece of a header.
#[derive(Debug, Clone)]
pub(crate) struct Fragment {
    pub(crate) text: String,
    /// What it declares.
    pub(crate) declares: Vec<String>,
}

/// What claims are written with, and what the kernel's headers take for granted; also one
/// of its UAPI.
pub(crate) const MACROS: &str = "
#define BIT(n) (1UL << (n))
#define BIT_ULL(n) (1ULL << (n))
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define IS_SIGNED(n) _Generic(n, short: 1, int: 1, long: 1, long long: 1, default: 0)
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define IN_HOST_ORDER(n) (sizeof(n) == 2 ? __builtin_bswap16(n) : __builtin_bswap32(n))
#else
#define IN_HOST_ORDER(n) (n)
#endif
";

/// What the pieces take for granted beside that.
pub(crate) const TYPES: &str = "
#include <linux/types.h>
#include <linux/const.h>
#include <linux/if_ether.h>
#include <linux/if.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <stdbool.h>
#include <stdint.h>
typedef __u8 u8; typedef __u16 u16; typedef __u32 u32; typedef __u64 u64;
typedef __s8 s8; typedef __s16 s16; typedef __s32 s32; typedef __s64 s64;
#define __packed __attribute__((packed))
#define __aligned(n) __attribute__((aligned(n)))
#define __counted_by(member)
#define DECLARE_FLEX_ARRAY(type, name) struct { struct { } empty_ ## name; type name[]; }
";

/// The pieces of these headers that declare what `wanted` names, and what those need.
pub(crate) fn needed<'a>(
    headers: impl IntoIterator<Item = &'a str>,
    wanted: impl IntoIterator<Item = &'a str>,
) -> Vec<Fragment> {
    let all: Vec<Fragment> = headers.into_iter().flat_map(all).collect();
    let mut names: HashSet<&str> = wanted.into_iter().flat_map(identifiers).collect();
    // What a macro makes names of.
    let mut beginnings: HashSet<&str> = HashSet::new();
    let mut taken = vec![false; all.len()];
    loop {
        let mut more = false;
        for (fragment, taken) in all.iter().zip(&mut taken) {
            let mut declares = fragment.declares.iter().map(String::as_str);
            let wanted = declares.any(|it| {
                names.contains(it) || beginnings.iter().any(|beginning| it.starts_with(beginning))
            });
            if wanted && !*taken {
                *taken = true;
                more = true;
                names.extend(identifiers(&fragment.text));
                if fragment.text.contains("##") {
                    let parts = identifiers(&fragment.text);
                    beginnings.extend(parts.filter(|it| it.ends_with('_') && it.len() > 3));
                }
            }
        }
        if !more {
            break;
        }
    }
    let taken = all.iter().zip(taken).filter(|(_, taken)| *taken);
    taken.map(|(fragment, _)| fragment.clone()).collect()
}

/// Every enum, struct, union, type and `#define` of a header.
fn all(header: &str) -> Vec<Fragment> {
    let text = without_comments(header).replace("\\\n", " ");
    let mut fragments = Vec::new();
    let mut statement = String::new();
    let mut depth = 0_usize;
    for line in text.lines() {
        if line.trim_start().starts_with('#') {
            if depth == 0 {
                fragments.extend(constant(line));
            } else {
                statement = statement + line + "\n";
            }
            continue;
        }
        for c in line.chars() {
            statement.push(c);
            match c {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            let function = c == '}' && is_function(&statement);
            if depth == 0 && (c == ';' || function) {
                fragments.extend(declaration(statement.trim()));
                statement.clear();
            }
        }
        statement.push('\n');
    }
    fragments
}

fn is_function(statement: &str) -> bool {
    let before = statement.split('{').next().unwrap_or_default();
    before.contains('(') && !before.contains("__attribute__")
}

/// A `#define` of something.
fn constant(line: &str) -> Option<Fragment> {
    let rest = line.trim_start().trim_start_matches('#').trim_start();
    let rest = rest.strip_prefix("define")?.trim_start();
    let name = identifiers(rest).next()?;
    let value = rest.strip_prefix(name)?;
    if value.trim().is_empty() {
        return None;
    }
    Some(Fragment {
        text: format!("#ifndef {name}\n{line}\n#endif"),
        declares: vec![name.to_owned()],
    })
}

fn declaration(statement: &str) -> Option<Fragment> {
    let mut words = identifiers(statement);
    let kind = words.next()?;
    let (head, body) = statement.split_once('{').unwrap_or((statement, ""));
    let declares = match kind {
        "enum" if !body.is_empty() => constants(head, body),
        "typedef" => {
            let plain = if body.is_empty() {
                statement.split('[').next()?
            } else {
                statement
            };
            let mut all = vec![identifiers(plain).last()?.to_owned()];
            if words.next() == Some("enum") {
                all.append(&mut constants(head, body));
            }
            all
        }
        "struct" | "union" if !body.is_empty() && !is_function(statement) => {
            vec![words.next()?.to_owned()]
        }
        _ => return None,
    };
    Some(Fragment {
        text: statement.to_owned(),
        declares,
    })
}

/// What an enum declares: its tag, and the constants; also those that are `#define`d
/// among them.
fn constants(head: &str, body: &str) -> Vec<String> {
    let defined = body.lines().filter_map(|line| {
        let line = line.trim_start().strip_prefix("#define")?;
        identifiers(line).next()
    });
    let lines = body.lines().filter(|it| !it.trim_start().starts_with('#'));
    let plain: String = lines.flat_map(|line| [line, "\n"]).collect();
    let entries = plain.split(',').filter_map(|it| identifiers(it).next());
    let tag = identifiers(head).skip_while(|it| *it != "enum").nth(1);
    let all = tag.into_iter().chain(defined).chain(entries);
    all.map(str::to_owned).collect()
}

pub(crate) fn identifiers(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'))
}

fn without_comments(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("/*").into_iter().chain(rest.find("//")).min() {
        let (before, comment) = rest.split_at(start);
        plain += before;
        plain.push(' ');
        let line = comment.starts_with("//");
        let end = if line {
            comment.find('\n')
        } else {
            comment.find("*/").map(|end| end + 2)
        };
        rest = end.map_or("", |end| &comment[end..]);
    }
    plain + rest
}
