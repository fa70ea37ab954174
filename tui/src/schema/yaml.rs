//! YAML with its order and its places, and the compact way in which tables write it.

use std::fmt;

use anyhow::anyhow;
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, Spanned};

/// Longest line of a table.
const WIDTH: usize = 140;

/// A document or a part of one. Scalars are what is written: what they mean depends on
/// the key before them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Yaml {
    /// A word, a number, a text.
    Text(String),
    /// Elements, each with the line on which it begins (0 where it comes from nowhere).
    List(Vec<(u64, Yaml)>),
    /// Keys and values in order.
    Map(Vec<(String, Yaml)>),
}

impl Yaml {
    /// Reads a document.
    pub(super) fn parse(file: &str, text: &str) -> anyhow::Result<Self> {
        // Specifications use aliases, and a comment at their head is a document's.
        let options = serde_saphyr::options! {
            duplicate_keys: DuplicateKeyPolicy::Error,
            strict_booleans: true,
            with_snippet: false,
        };
        serde_saphyr::from_str_with_options(text, options)
            .map_err(|error| anyhow!("{file}: {}", error.without_snippet()))
    }

    /// A word.
    pub(super) fn word(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// The value of a key of a mapping.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(pairs) => pairs.iter().find(|(it, _)| it == key).map(|(_, it)| it),
            _ => None,
        }
    }

    /// The text of a key of a mapping.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        match self.get(key)? {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number of a key of a mapping.
    pub(super) fn number(&self, key: &str) -> Option<i128> {
        let text = self.text(key)?;
        match text.strip_prefix("0x") {
            Some(digits) => i128::from_str_radix(digits, 16).ok(),
            None => text.parse().ok(),
        }
    }

    /// The elements of a key of a mapping.
    pub(super) fn list(&self, key: &str) -> &[(u64, Self)] {
        match self.get(key) {
            Some(Self::List(items)) => items,
            _ => &[],
        }
    }

    /// A mapping's `name`; a scalar that stands for one.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Text(text) => text,
            _ => self.text("name").unwrap_or_default(),
        }
    }

    /// Keys and values of a mapping.
    pub(super) fn pairs(&self) -> &[(String, Self)] {
        match self {
            Self::Map(pairs) => pairs,
            _ => &[],
        }
    }

    /// In flow style, on as many lines as it takes behind `indent` spaces and a dash.
    pub(super) fn item(&self, indent: usize) -> String {
        let flow = self.to_string();
        let mut lines = vec![format!("{:indent$}- ", "")];
        let inner = indent + 3;
        for (nth, part) in flow.split_inclusive(", ").enumerate() {
            let last = lines.last().map_or(0, String::len);
            if nth > 0 && last + part.trim_end().len() > WIDTH {
                lines.push(format!("{:inner$}", ""));
            }
            if let Some(line) = lines.last_mut() {
                line.push_str(part);
            }
        }
        let mut text = String::new();
        for line in lines {
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

impl fmt::Display for Yaml {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) if plain(text) => f.write_str(text),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::List(items) => {
                f.write_str("[")?;
                for (nth, (_, item)) in items.iter().enumerate() {
                    write!(f, "{}{item}", if nth == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Self::Map(pairs) => {
                f.write_str("{")?;
                for (nth, (key, value)) in pairs.iter().enumerate() {
                    write!(f, "{}{key}: {value}", if nth == 0 { "" } else { ", " })?;
                }
                f.write_str("}")
            }
        }
    }
}

/// Whether a scalar needs no quotes.
fn plain(text: &str) -> bool {
    let begins = text.starts_with(|c: char| c.is_alphanumeric() || "/._".contains(c));
    let special = |c: char| c.is_control() || "#,[]{}&*!|>'\"%@`".contains(c);
    // A summary may name alternatives, as in a|b.
    begins && !text.chars().any(|c| c != '|' && special(c)) && !text.contains(": ")
}

impl<'de> Deserialize<'de> for Yaml {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Yaml;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("YAML")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Yaml, E> {
                Ok(Yaml::word(text))
            }

            fn visit_bool<E: de::Error>(self, it: bool) -> Result<Yaml, E> {
                Ok(Yaml::word(it.to_string()))
            }

            fn visit_i64<E: de::Error>(self, it: i64) -> Result<Yaml, E> {
                Ok(Yaml::word(it.to_string()))
            }

            fn visit_u64<E: de::Error>(self, it: u64) -> Result<Yaml, E> {
                Ok(Yaml::word(it.to_string()))
            }

            fn visit_f64<E: de::Error>(self, it: f64) -> Result<Yaml, E> {
                Ok(Yaml::word(it.to_string()))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Yaml, E> {
                Ok(Yaml::word("null"))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Yaml, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element::<Spanned<Yaml>>()? {
                    items.push((item.referenced.line(), item.value));
                }
                Ok(Yaml::List(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Yaml, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Yaml::Map(pairs))
            }
        }
        deserializer.deserialize_any(Any)
    }
}
