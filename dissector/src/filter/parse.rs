//! Tokens -> expression. Names mean nothing yet.

use std::ops::Range;

use super::FilterError;
use super::error::quote;
use super::lex::{Spanned, Token, lex};

/// How many bytes a filter may have.
const MAX_TEXT: usize = 64 << 10;
/// How deep parentheses and negations may nest.
const MAX_NESTING: usize = 64;
/// How many comparisons a filter may have.
const MAX_TESTS: usize = 1000;

/// An expression.
#[derive(Debug)]
pub(super) enum Expr<'t> {
    /// All of these hold.
    All(Vec<Expr<'t>>),
    /// One of these holds.
    Any(Vec<Expr<'t>>),
    /// This does not hold.
    Not(Box<Expr<'t>>),
    /// A field and what is asked of it.
    Test(Test<'t>),
}

/// A field and what is asked of it.
#[derive(Debug)]
pub(super) struct Test<'t> {
    pub(super) field: &'t str,
    pub(super) span: Range<usize>,
    pub(super) relation: Relation<'t>,
}

/// What is asked of a field.
#[derive(Debug)]
pub(super) enum Relation<'t> {
    /// Is it there?
    Present,
    /// How does it compare? With where the operator stands.
    Compare(Op, Range<usize>, Operand<'t>),
    /// Is it one of these?
    In(Vec<Element<'t>>),
    /// Does it contain this?
    Contains(Range<usize>, Operand<'t>),
    /// Does it match this regular expression?
    Matches(Range<usize>, Literal<'t>),
    /// Has it one of these bits, or how do they compare?
    Bits(Range<usize>, Operand<'t>, Option<(Op, Operand<'t>)>),
}

/// A comparison. The plain ones ask for any occurrence, `!=` for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Eq,
    AllEq,
    Ne,
    AnyNe,
    Lt,
    Le,
    Gt,
    Ge,
}

impl Op {
    fn of(token: Token<'_>) -> Option<Self> {
        let (Token::Word(text) | Token::Symbol(text)) = token else {
            return None;
        };
        Some(match text {
            "==" | "eq" | "any_eq" => Self::Eq,
            "===" | "all_eq" => Self::AllEq,
            "!=" | "ne" | "all_ne" => Self::Ne,
            "!==" | "any_ne" => Self::AnyNe,
            "<" | "lt" => Self::Lt,
            "<=" | "le" => Self::Le,
            ">" | "gt" => Self::Gt,
            ">=" | "ge" => Self::Ge,
            _ => return None,
        })
    }

    /// Asks for more or less, not for the same.
    pub(super) fn is_order(self) -> bool {
        matches!(self, Self::Lt | Self::Le | Self::Gt | Self::Ge)
    }
}

/// A right-hand side: one value, or flags joined by `|`.
#[derive(Debug)]
pub(super) struct Operand<'t> {
    pub(super) first: Literal<'t>,
    pub(super) more: Vec<Literal<'t>>,
}

/// An element of a set.
#[derive(Debug)]
pub(super) enum Element<'t> {
    One(Operand<'t>),
    Range(Literal<'t>, Literal<'t>),
}

/// A value as it was typed.
#[derive(Debug, Clone)]
pub(super) struct Literal<'t> {
    pub(super) text: &'t str,
    pub(super) quoted: bool,
    pub(super) raw: bool,
    pub(super) span: Range<usize>,
}

/// Reads a filter; `None` for an empty one.
///
/// # Errors
///
/// What does not follow the grammar.
pub(super) fn parse(text: &str) -> Result<Option<Expr<'_>>, FilterError> {
    if text.len() > MAX_TEXT {
        let message = format!(
            "the filter has {} bytes, {MAX_TEXT} are the limit",
            text.len()
        );
        return Err(FilterError::new(message, 0..text.len()));
    }
    let (tokens, error) = lex(text);
    if let Some(error) = error {
        return Err(error);
    }
    if tokens.is_empty() {
        return Ok(None);
    }
    let mut parser = Parser {
        tokens: &tokens,
        at: 0,
        end: text.len(),
        tests: 0,
    };
    let expr = parser.any(0)?;
    match parser.peek() {
        None => Ok(Some(expr)),
        Some(Spanned {
            token: Token::Symbol(")"),
            span,
        }) => Err(FilterError::new(
            "this parenthesis was never opened",
            span.clone(),
        )),
        Some(extra) => {
            let message = format!(
                "expected `&&`, `||` or the end, not {}",
                quote(&text[extra.span.clone()])
            );
            let suggestion = match extra.token {
                Token::Symbol("=") => Some("==".to_owned()),
                _ => None,
            };
            Err(FilterError::new(message, extra.span.clone()).suggest(suggestion))
        }
    }
}

struct Parser<'p, 't> {
    tokens: &'p [Spanned<'t>],
    at: usize,
    end: usize,
    tests: usize,
}

impl<'p, 't> Parser<'p, 't> {
    fn peek(&self) -> Option<&'p Spanned<'t>> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<&'p Spanned<'t>> {
        let token = self.peek()?;
        self.at += 1;
        Some(token)
    }

    /// Takes the next token if it is one of `wanted`, a symbol or a keyword.
    fn take(&mut self, wanted: &[&str]) -> Option<&'p Spanned<'t>> {
        let token = self.peek()?;
        let fits = match token.token {
            Token::Word(text) | Token::Symbol(text) => wanted.contains(&text),
            Token::Quoted { .. } => false,
        };
        if fits { self.next() } else { None }
    }

    /// What is said where something is missing: the next token, or the end.
    fn expected(&self, what: &str) -> FilterError {
        match self.peek() {
            Some(found) => {
                let text = match found.token {
                    Token::Word(text) | Token::Symbol(text) | Token::Quoted { inner: text, .. } => {
                        text
                    }
                };
                let message = format!("expected {what}, not {}", quote(text));
                let suggestion = matches!(found.token, Token::Symbol("="))
                    .then(|| "==".to_owned())
                    .filter(|_| self.at > 0);
                FilterError::new(message, found.span.clone()).suggest(suggestion)
            }
            None => FilterError::new(
                format!("expected {what}, but the filter ends here"),
                self.end..self.end,
            ),
        }
    }

    fn any(&mut self, nesting: usize) -> Result<Expr<'t>, FilterError> {
        let mut parts = vec![self.all(nesting)?];
        while self.take(&["||", "or"]).is_some() {
            parts.push(self.all(nesting)?);
        }
        Ok(single(parts, Expr::Any))
    }

    fn all(&mut self, nesting: usize) -> Result<Expr<'t>, FilterError> {
        let mut parts = vec![self.one(nesting)?];
        while self.take(&["&&", "and"]).is_some() {
            parts.push(self.one(nesting)?);
        }
        Ok(single(parts, Expr::All))
    }

    fn one(&mut self, nesting: usize) -> Result<Expr<'t>, FilterError> {
        let nested = |span: &Range<usize>| {
            if nesting < MAX_NESTING {
                return Ok(nesting + 1);
            }
            let message = format!("nested deeper than {MAX_NESTING} levels");
            Err(FilterError::new(message, span.clone()))
        };
        if let Some(not) = self.take(&["!", "not"]) {
            let inner = self.one(nested(&not.span)?)?;
            return Ok(Expr::Not(Box::new(inner)));
        }
        if let Some(open) = self.take(&["("]) {
            let inner = self.any(nested(&open.span)?)?;
            if self.take(&[")"]).is_some() {
                return Ok(inner);
            }
            return Err(match self.peek() {
                Some(_) => self.expected("`)`, `&&` or `||`"),
                None => FilterError::new("this parenthesis is not closed", open.span.clone()),
            });
        }
        self.test()
    }

    fn test(&mut self) -> Result<Expr<'t>, FilterError> {
        let Some(Spanned {
            token: Token::Word(field),
            span,
        }) = self.peek()
        else {
            return Err(self.expected("the name of a field"));
        };
        self.at += 1;
        self.tests += 1;
        if self.tests > MAX_TESTS {
            let message = format!("more than {MAX_TESTS} comparisons");
            return Err(FilterError::new(message, span.clone()));
        }
        let (negated, relation) = self.relation()?;
        let test = Expr::Test(Test {
            field,
            span: span.clone(),
            relation,
        });
        Ok(if negated {
            Expr::Not(Box::new(test))
        } else {
            test
        })
    }

    /// What follows a field, and whether it is denied (`not in`).
    fn relation(&mut self) -> Result<(bool, Relation<'t>), FilterError> {
        let Some(operator) = self.peek() else {
            return Ok((false, Relation::Present));
        };
        let span = operator.span.clone();
        if let Some(op) = Op::of(operator.token) {
            self.at += 1;
            return Ok((false, Relation::Compare(op, span, self.operand()?)));
        }
        if self.take(&["contains"]).is_some() {
            return Ok((false, Relation::Contains(span, self.operand()?)));
        }
        if self.take(&["matches", "~"]).is_some() {
            return Ok((false, Relation::Matches(span, self.literal()?)));
        }
        if self.take(&["&"]).is_some() {
            let mask = self.operand()?;
            let then = match self.peek().and_then(|token| Op::of(token.token)) {
                Some(op) => {
                    self.at += 1;
                    Some((op, self.operand()?))
                }
                None => None,
            };
            return Ok((false, Relation::Bits(span, mask, then)));
        }
        let after = self.tokens.get(self.at + 1).map(|token| token.token);
        let negated = after == Some(Token::Word("in")) && self.take(&["not", "!"]).is_some();
        if self.take(&["in"]).is_some() {
            return Ok((negated, Relation::In(self.set()?)));
        }
        Ok((false, Relation::Present))
    }

    fn set(&mut self) -> Result<Vec<Element<'t>>, FilterError> {
        let Some(open) = self.take(&["{"]) else {
            return Err(self.expected("a set, `{a, b, 1..9}`"));
        };
        let mut elements = Vec::new();
        loop {
            let operand = self.operand()?;
            if self.take(&[".."]).is_some() {
                elements.push(Element::Range(operand.first, self.literal()?));
            } else {
                elements.push(Element::One(operand));
            }
            if self.take(&["}"]).is_some() {
                return Ok(elements);
            }
            if self.take(&[","]).is_none() {
                return Err(match self.peek() {
                    Some(_) => self.expected("`,` or `}`"),
                    None => FilterError::new("this brace is not closed", open.span.clone()),
                });
            }
        }
    }

    fn operand(&mut self) -> Result<Operand<'t>, FilterError> {
        let first = self.literal()?;
        let mut more = Vec::new();
        while self.take(&["|"]).is_some() {
            more.push(self.literal()?);
        }
        Ok(Operand { first, more })
    }

    fn literal(&mut self) -> Result<Literal<'t>, FilterError> {
        let (text, quoted, raw) = match self.peek().map(|token| token.token) {
            Some(Token::Word(text)) => (text, false, false),
            Some(Token::Quoted { inner, raw }) => (inner, true, raw),
            _ => return Err(self.expected("a value")),
        };
        let span = self.peek().map_or(0..0, |token| token.span.clone());
        self.at += 1;
        Ok(Literal {
            text,
            quoted,
            raw,
            span,
        })
    }
}

impl Operand<'_> {
    /// Where it stands.
    pub(super) fn span(&self) -> Range<usize> {
        let end = self.more.last().unwrap_or(&self.first).span.end;
        self.first.span.start..end
    }
}

fn single<'t>(mut parts: Vec<Expr<'t>>, many: fn(Vec<Expr<'t>>) -> Expr<'t>) -> Expr<'t> {
    if parts.len() > 1 {
        return many(parts);
    }
    parts.pop().unwrap_or(Expr::All(Vec::new()))
}
