//! Expression and schema -> what can be evaluated, or what is wrong.

use std::ops::Range;

use regex::bytes::{Regex, RegexBuilder};

use super::FilterError;
use super::constant::Constants;
use super::error::quote;
use super::evaluate::{Checked, FieldTest};
use super::header::HeadField;
use super::literal;
use super::parse::{self, Element, Expr, Literal, Op, Operand, Test};
use super::relation::{Constant, Relation};
use super::resolve::{Fields, Name, Resolver, below};
use super::shape::Shape;
use crate::schema::{Field, Schema};

/// How large a compiled regular expression may be, in bytes.
const REGEX_SIZE: usize = 1 << 20;
/// How many of them a filter may have.
const MAX_REGEXES: usize = 32;

/// Checks an expression.
///
/// # Errors
///
/// A name that the schema does not have, or a comparison that makes no sense.
pub(super) fn check(expr: &Expr<'_>, schema: &Schema) -> Result<Checked, FilterError> {
    let mut checker = Checker {
        resolver: Resolver::new(schema),
        regexes: 0,
    };
    checker.expr(expr)
}

struct Checker<'s> {
    resolver: Resolver<'s>,
    regexes: usize,
}

impl Checker<'_> {
    fn expr(&mut self, expr: &Expr<'_>) -> Result<Checked, FilterError> {
        Ok(match expr {
            Expr::All(parts) => Checked::All(self.exprs(parts)?),
            Expr::Any(parts) => Checked::Any(self.exprs(parts)?),
            Expr::Not(inner) => Checked::Not(Box::new(self.expr(inner)?)),
            Expr::Test(test) => self.test(test)?,
        })
    }

    fn exprs(&mut self, parts: &[Expr<'_>]) -> Result<Vec<Checked>, FilterError> {
        parts.iter().map(|part| self.expr(part)).collect()
    }

    fn test(&mut self, test: &Test<'_>) -> Result<Checked, FilterError> {
        let name = self.resolver.resolve(test.field).map_err(|unknown| {
            let start = test.span.start;
            let place = start + unknown.part.start..start + unknown.part.end;
            FilterError::new(unknown.message, place).suggest(unknown.suggestion)
        })?;
        let regex = match &test.relation {
            parse::Relation::Matches(_, literal) => Some(self.regex(literal)?),
            _ => None,
        };
        let asked = Asked {
            constants: Constants {
                resolver: &self.resolver,
                name: test.field,
            },
            test,
            regex,
        };
        match name {
            Name::Head(field) => {
                let relation = asked.of(field.shape(), None)?;
                Ok(if field == HeadField::Notes {
                    Checked::Notes(relation)
                } else {
                    Checked::Head(field, relation)
                })
            }
            Name::Family(family) => {
                if matches!(test.relation, parse::Relation::Present) {
                    return Ok(Checked::Family(family));
                }
                let message = format!("{} is a family, and has no value", quote(test.field));
                Err(FilterError::new(message, test.span.clone())
                    .suggest(Some(format!("family == {}", test.field))))
            }
            Name::Fields(fields) => asked.of_fields(fields),
        }
    }

    fn regex(&mut self, literal: &Literal<'_>) -> Result<Regex, FilterError> {
        self.regexes += 1;
        if self.regexes > MAX_REGEXES {
            let message = format!("more than {MAX_REGEXES} regular expressions");
            return Err(FilterError::new(message, literal.span.clone()));
        }
        let pattern = pattern(literal);
        RegexBuilder::new(&pattern)
            .case_insensitive(true)
            .size_limit(REGEX_SIZE)
            .dfa_size_limit(REGEX_SIZE)
            .nest_limit(100)
            .build()
            .map_err(|error| {
                let message = format!("bad regular expression: {}", reason(&error));
                FilterError::new(message, literal.span.clone())
            })
    }
}

/// The regular expression that was typed: its own escapes are left to it, only the
/// quote's is taken away.
fn pattern(literal: &Literal<'_>) -> String {
    if literal.quoted && !literal.raw {
        literal.text.replace("\\\"", "\"").replace("\\'", "'")
    } else {
        literal.text.to_owned()
    }
}

/// The last line of the library's account of an error; those before show the pattern.
fn reason(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(limit) => {
            format!("compiled it takes more than {limit} bytes")
        }
        other => {
            let text = other.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.strip_prefix("error: ").unwrap_or(last).to_owned()
        }
    }
}

/// What a test asks, for every field its name may stand for.
struct Asked<'a, 't> {
    constants: Constants<'a>,
    test: &'a Test<'t>,
    regex: Option<Regex>,
}

impl Asked<'_, '_> {
    fn of_fields(&self, named: Fields) -> Result<Checked, FilterError> {
        let mut targets = Vec::new();
        let mut wrong: Option<(bool, FilterError)> = None;
        for field in named.last {
            let shape = Shape::of(field);
            match self.of(shape, Some(field)) {
                Ok(relation) => targets.push((field, relation)),
                // What is said of a value tells more than that a nest has none.
                Err(error) => {
                    let valued = !matches!(shape, Shape::Tree);
                    if wrong.as_ref().is_none_or(|(before, _)| valued && !before) {
                        wrong = Some((valued, error));
                    }
                }
            }
        }
        if let (true, Some((_, error))) = (targets.is_empty(), wrong) {
            return Err(error);
        }
        targets.sort_by_key(|(field, _)| std::ptr::from_ref::<Field>(field));
        let of_all = targets.first().is_some_and(|(_, asked)| asked.of_all());
        Ok(Checked::Field(FieldTest {
            root: named.root,
            path: named.path,
            targets,
            of_all,
        }))
    }

    /// What is asked of a value of this shape; `field` is whose it is.
    fn of(&self, shape: Shape, field: Option<&'static Field>) -> Result<Relation, FilterError> {
        if matches!(self.test.relation, parse::Relation::Present) {
            return Ok(Relation::Present);
        }
        if matches!(shape, Shape::Tree) {
            return Err(self.no_value(field));
        }
        match &self.test.relation {
            parse::Relation::Present => Ok(Relation::Present),
            parse::Relation::Compare(op, span, operand) => self.compare(*op, span, shape, operand),
            parse::Relation::In(elements) => {
                let constants = elements.iter().map(|element| self.element(shape, element));
                Ok(Relation::In(constants.collect::<Result<_, _>>()?))
            }
            parse::Relation::Contains(span, operand) => self.contains(span, shape, operand),
            parse::Relation::Matches(span, _) => {
                if !shape.is_text() {
                    return Err(self.unfit(span, shape, "`matches` needs text or bytes"));
                }
                match &self.regex {
                    Some(regex) => Ok(Relation::Matches(regex.clone())),
                    None => Err(self.unfit(span, shape, "`matches` needs an expression")),
                }
            }
            parse::Relation::Bits(span, mask, then) => {
                if !shape.has_bits() {
                    return Err(self.unfit(span, shape, "`&` needs a number"));
                }
                let mask = self.constants.bits(shape, mask)?;
                let then = match then {
                    Some((op, wanted)) => Some((*op, self.constants.bits(shape, wanted)?)),
                    None => None,
                };
                Ok(Relation::Bits(mask, then))
            }
        }
    }

    fn compare(
        &self,
        op: Op,
        span: &Range<usize>,
        shape: Shape,
        operand: &Operand<'_>,
    ) -> Result<Relation, FilterError> {
        if op.is_order() && !shape.is_ordered() {
            return Err(self.unfit(
                span,
                shape,
                "only numbers, times and addresses have an order",
            ));
        }
        let constant = self.constants.operand(shape, operand)?;
        if op.is_order() {
            ordered(&constant, &operand.first)?;
        }
        Ok(Relation::Compare(op, constant))
    }

    fn element(&self, shape: Shape, element: &Element<'_>) -> Result<Constant, FilterError> {
        let (low, high) = match element {
            Element::One(operand) => return self.constants.operand(shape, operand),
            Element::Range(low, high) => (low, high),
        };
        let span = low.span.start..high.span.end;
        if !shape.is_ordered() {
            return Err(self.unfit(&span, shape, "a range needs numbers, times or addresses"));
        }
        let (from, to) = (
            self.constants.literal(shape, low)?,
            self.constants.literal(shape, high)?,
        );
        ordered(&from, low)?;
        ordered(&to, high)?;
        match (from, to) {
            (Constant::Number(from), Constant::Number(to)) if from <= to => {
                Ok(Constant::Numbers(from, to))
            }
            (Constant::Prefix(from, _), Constant::Prefix(to, _))
                if from <= to && from.is_ipv4() == to.is_ipv4() =>
            {
                Ok(Constant::Addresses(from, to))
            }
            _ => Err(FilterError::new("the range ends before it begins", span)),
        }
    }

    fn contains(
        &self,
        span: &Range<usize>,
        shape: Shape,
        operand: &Operand<'_>,
    ) -> Result<Relation, FilterError> {
        if shape.has_bits() {
            if !shape.is_flags() {
                return Err(self.unfit(span, shape, "`contains` needs text, bytes or flags"));
            }
            return Ok(Relation::ContainsBits(self.constants.bits(shape, operand)?));
        }
        if !shape.is_text() {
            return Err(self.unfit(span, shape, "`contains` needs text, bytes or flags"));
        }
        if !operand.more.is_empty() {
            return Err(FilterError::new("`|` joins flags only", operand.span()));
        }
        // Part of a name is no name, so it is text whatever the field is.
        let like = if matches!(shape, Shape::Bytes) {
            Shape::Bytes
        } else {
            Shape::Text
        };
        Ok(match self.constants.literal(like, &operand.first)? {
            Constant::Bytes(needle) | Constant::Text(needle) => Relation::Contains(needle),
            _ => return Err(self.unfit(span, shape, "`contains` needs text, bytes or flags")),
        })
    }

    fn no_value(&self, field: Option<&'static Field>) -> FilterError {
        let mut first = None;
        if let Some(field) = field {
            below(field, 0, &mut |child| {
                if !child.unnamed && !matches!(Shape::of(child.field), Shape::Tree) {
                    first.get_or_insert(child.field.name);
                }
            });
        }
        let name = self.test.field;
        let message = format!("{} has fields of its own and no value", quote(name));
        FilterError::new(message, self.test.span.clone())
            .suggest(first.map(|first| format!("{name}.{first}")))
    }

    fn unfit(&self, span: &Range<usize>, shape: Shape, why: &str) -> FilterError {
        let name = quote(self.test.field);
        let message = format!("{why}; {name} is {}", shape.describe());
        FilterError::new(message, span.clone())
    }
}

/// Refuses a constant that nothing is less or more than.
fn ordered(constant: &Constant, at: &Literal<'_>) -> Result<(), FilterError> {
    let wrong = match constant {
        Constant::Number(_) => return Ok(()),
        Constant::Prefix(address, len) if literal::is_host((*address, *len)) => return Ok(()),
        Constant::Prefix(..) => "a prefix has no order; compare with an address, or with `==`",
        _ => "a name without a number has no order",
    };
    Err(FilterError::new(wrong, at.span.clone()))
}
