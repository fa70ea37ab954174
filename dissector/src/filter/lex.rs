//! Text -> tokens.

use std::ops::Range;

use super::FilterError;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// A name, a keyword, a number, an address: what stands without quotes.
    Word(&'t str),
    /// What stands in quotes, as it was typed. `raw` after an `r`: a backslash is one.
    Quoted { inner: &'t str, raw: bool },
    /// One of [`SYMBOLS`].
    Symbol(&'static str),
}

/// A token and the bytes it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spanned<'t> {
    pub(super) token: Token<'t>,
    pub(super) span: Range<usize>,
}

/// Longer ones before their beginnings.
const SYMBOLS: &[&str] = &[
    "===", "!==", "==", "!=", "<=", ">=", "&&", "||", "..", "<", ">", "=", "!", "&", "|", "~", "(",
    ")", "{", "}", ",",
];

/// Splits `text` into tokens.
///
/// # Errors
///
/// A quote that is not closed; the tokens before it come with the error.
pub(super) fn lex(text: &str) -> (Vec<Spanned<'_>>, Option<FilterError>) {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let rest = &text[at..];
        let raw = rest.starts_with("r\"") || rest.starts_with("r'");
        if raw || is_quote(first) {
            let Some(len) = quoted(rest, raw) else {
                let error = FilterError::new("this quote is not closed", at..text.len());
                return (tokens, Some(error));
            };
            let inner = &rest[1 + usize::from(raw)..len - 1];
            let token = Token::Quoted { inner, raw };
            let span = at..at + len;
            at += len;
            tokens.push(Spanned { token, span });
            continue;
        }
        let symbol = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol));
        let (token, len) = symbol.map_or_else(
            || (Token::Word(&rest[..word(rest)]), word(rest)),
            |symbol| (Token::Symbol(symbol), symbol.len()),
        );
        let span = at..at + len;
        at += len;
        tokens.push(Spanned { token, span });
    }
    (tokens, None)
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'')
}

/// Length of the quoted text that `rest` begins with, quotes included.
fn quoted(rest: &str, raw: bool) -> Option<usize> {
    let mut chars = rest.char_indices().skip(usize::from(raw));
    let (_, open) = chars.next()?;
    while let Some((at, c)) = chars.next() {
        if c == open {
            return Some(at + c.len_utf8());
        }
        if c == '\\' && !raw {
            chars.next();
        }
    }
    None
}

/// Length of the word that `rest` begins with; at least one character.
fn word(rest: &str) -> usize {
    let ends = |at: usize, c: char| {
        c.is_whitespace()
            || is_quote(c)
            || "<>=!&|~(){},".contains(c)
            || rest[at..].starts_with("..")
    };
    rest.char_indices()
        .skip(1)
        .find(|(at, c)| ends(*at, *c))
        .map_or(rest.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let (tokens, error) = lex(text);
        let shown: Vec<&str> = tokens.iter().map(|t| &text[t.span.clone()]).collect();
        assert_eq!(shown, expected);
        assert_eq!(error, None);
    }

    #[test]
    fn words_hold_addresses_prefixes_and_dashes() {
        check(
            "rt-link.ifname==lo&&dst!=fe80::1/64",
            &[
                "rt-link.ifname",
                "==",
                "lo",
                "&&",
                "dst",
                "!=",
                "fe80::1/64",
            ],
        );
        check("in {1..9,a}", &["in", "{", "1", "..", "9", ",", "a", "}"]);
        check("f&up|running", &["f", "&", "up", "|", "running"]);
    }

    #[test]
    fn quotes_keep_what_is_inside() {
        check(r#""a \" b" 'c' r"\d""#, &[r#""a \" b""#, "'c'", r#"r"\d""#]);
        check("größe == \"ü\"", &["größe", "==", "\"ü\""]);
    }

    #[test]
    fn an_open_quote_is_found() {
        for text in ["a == \"b", "a == r'", "a == \"\\\"", "a == '\\"] {
            let error = lex(text).1.unwrap();
            assert_eq!(error.span, 5..text.len(), "{text}");
        }
    }
}
