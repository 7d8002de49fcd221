//! The `$filter` language, as far as the service documents it: comparisons with literals, `and`, `or`, `not`,
//! parentheses, `substringof`, `startswith`, `endswith` and `trim`. Field against field is refused, as there.

use std::collections::BTreeSet;

use crate::edm::{Edm, Value};
use crate::schema::Shape;
use tokens::{Token, tokens};

#[cfg(test)]
mod tests;
mod tokens;

pub(crate) use tokens::literals;

/// Why a filter is refused; the service tells no more than that its syntax is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadFilter;

/// A filter that was read, ready to be asked about records.
#[derive(Debug, Clone)]
pub(crate) enum Filter {
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
    Compare(Field, Comparison, Value),
    Contains(Field, String),
    StartsWith(Field, String),
    EndsWith(Field, String),
    Constant(bool),
}

/// A property, taken as it is or trimmed.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    position: usize,
    edm: Edm,
    trimmed: bool,
}

/// The six comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Comparison {
    fn named(word: &str) -> Option<Self> {
        Some(match word {
            "eq" => Self::Equal,
            "ne" => Self::NotEqual,
            "gt" => Self::Greater,
            "ge" => Self::GreaterOrEqual,
            "lt" => Self::Less,
            "le" => Self::LessOrEqual,
            _ => return None,
        })
    }

    fn mirrored(self) -> Self {
        match self {
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            same => same,
        }
    }

    fn holds(self, left: &Value, right: &Value) -> bool {
        let ordered = !matches!(left, Value::Null) && !matches!(right, Value::Null);
        let order = left.order(right);
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Greater => ordered && order.is_gt(),
            Self::GreaterOrEqual => ordered && order.is_ge(),
            Self::Less => ordered && order.is_lt(),
            Self::LessOrEqual => ordered && order.is_le(),
        }
    }
}

impl Filter {
    /// Reads a filter over the properties of `shape`.
    pub(crate) fn parse(text: &str, shape: &Shape) -> Result<Self, BadFilter> {
        let tokens = tokens(text)?;
        let mut parser = Parser { tokens: &tokens, at: 0, shape };
        let filter = parser.either()?;
        if parser.at == tokens.len() { Ok(filter) } else { Err(BadFilter) }
    }

    /// The positions of all properties that the filter names.
    pub(crate) fn positions(&self) -> BTreeSet<usize> {
        let mut positions = BTreeSet::new();
        self.collect(&mut positions);
        positions
    }

    fn collect(&self, positions: &mut BTreeSet<usize>) {
        match self {
            Self::And(left, right) | Self::Or(left, right) => {
                left.collect(positions);
                right.collect(positions);
            }
            Self::Not(inner) => inner.collect(positions),
            Self::Compare(field, ..)
            | Self::Contains(field, _)
            | Self::StartsWith(field, _)
            | Self::EndsWith(field, _) => {
                positions.insert(field.position);
            }
            Self::Constant(_) => {}
        }
    }

    /// Whether a record, seen through `value_at`, passes. With `ignore_case` all text is compared without case.
    pub(crate) fn holds(&self, ignore_case: bool, value_at: &dyn Fn(usize) -> Value) -> bool {
        let fold = |text: &str| if ignore_case { text.to_lowercase() } else { text.to_owned() };
        let text_of = |field: &Field| match field.read(value_at) {
            Value::Text(text) => fold(&text),
            _ => String::new(),
        };
        match self {
            Self::And(left, right) => left.holds(ignore_case, value_at) && right.holds(ignore_case, value_at),
            Self::Or(left, right) => left.holds(ignore_case, value_at) || right.holds(ignore_case, value_at),
            Self::Not(inner) => !inner.holds(ignore_case, value_at),
            Self::Compare(field, comparison, literal) => match (field.read(value_at), literal) {
                (Value::Text(left), Value::Text(right)) => {
                    comparison.holds(&Value::Text(fold(&left)), &Value::Text(fold(right)))
                }
                (left, right) => comparison.holds(&left, right),
            },
            Self::Contains(field, part) => text_of(field).contains(&fold(part)),
            Self::StartsWith(field, part) => text_of(field).starts_with(&fold(part)),
            Self::EndsWith(field, part) => text_of(field).ends_with(&fold(part)),
            Self::Constant(flag) => *flag,
        }
    }
}

impl Field {
    fn read(&self, value_at: &dyn Fn(usize) -> Value) -> Value {
        match value_at(self.position) {
            Value::Text(text) if self.trimmed => Value::Text(text.trim().to_owned()),
            value => value,
        }
    }

    /// The literal as a value of this field's type, where the two go together.
    fn accept(&self, literal: Value) -> Result<Value, BadFilter> {
        let fits = matches!(
            (&literal, self.edm),
            (Value::Null, _)
                | (Value::Text(_), Edm::Text)
                | (Value::Guid(_), Edm::Guid)
                | (Value::Boolean(_), Edm::Boolean)
                | (Value::DateTime(_), Edm::DateTime)
                | (
                    Value::Integer(_) | Value::Double(_),
                    Edm::Byte | Edm::Int16 | Edm::Int32 | Edm::Int64 | Edm::Double,
                )
        );
        if fits { Ok(literal) } else { Err(BadFilter) }
    }
}

enum Operand {
    Field(Field),
    Literal(Value),
    Answer(Filter),
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    shape: &'a Shape,
}

impl Parser<'_> {
    fn either(&mut self) -> Result<Filter, BadFilter> {
        let mut left = self.both()?;
        while self.take_word("or") {
            left = Filter::Or(Box::new(left), Box::new(self.both()?));
        }
        Ok(left)
    }

    fn both(&mut self) -> Result<Filter, BadFilter> {
        let mut left = self.unary()?;
        while self.take_word("and") {
            left = Filter::And(Box::new(left), Box::new(self.unary()?));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Filter, BadFilter> {
        if self.take_word("not") { Ok(Filter::Not(Box::new(self.unary()?))) } else { self.comparison() }
    }

    fn comparison(&mut self) -> Result<Filter, BadFilter> {
        let left = self.operand()?;
        let Some(comparison) = self.peek_word().and_then(Comparison::named) else {
            return match left {
                Operand::Answer(filter) => Ok(filter),
                Operand::Literal(Value::Boolean(flag)) => Ok(Filter::Constant(flag)),
                Operand::Field(field) if field.edm == Edm::Boolean => {
                    Ok(Filter::Compare(field, Comparison::Equal, Value::Boolean(true)))
                }
                _ => Err(BadFilter),
            };
        };
        self.at += 1;
        match (left, self.operand()?) {
            (Operand::Field(field), Operand::Literal(literal)) => {
                let literal = field.accept(literal)?;
                Ok(Filter::Compare(field, comparison, literal))
            }
            (Operand::Literal(literal), Operand::Field(field)) => {
                let literal = field.accept(literal)?;
                Ok(Filter::Compare(field, comparison.mirrored(), literal))
            }
            (Operand::Answer(filter), Operand::Literal(Value::Boolean(flag))) => match comparison {
                Comparison::Equal if flag => Ok(filter),
                Comparison::NotEqual if !flag => Ok(filter),
                Comparison::Equal | Comparison::NotEqual => Ok(Filter::Not(Box::new(filter))),
                _ => Err(BadFilter),
            },
            _ => Err(BadFilter),
        }
    }

    fn operand(&mut self) -> Result<Operand, BadFilter> {
        match self.next()? {
            Token::Literal(value) => Ok(Operand::Literal(value)),
            Token::Open => {
                let filter = self.either()?;
                self.expect(&Token::Close)?;
                Ok(Operand::Answer(filter))
            }
            Token::Word(word) if self.tokens.get(self.at) == Some(&Token::Open) => {
                self.at += 1;
                let operand = self.call(&word)?;
                self.expect(&Token::Close)?;
                Ok(operand)
            }
            Token::Word(word) => self.field(&word).map(Operand::Field),
            Token::Close | Token::Comma => Err(BadFilter),
        }
    }

    fn call(&mut self, name: &str) -> Result<Operand, BadFilter> {
        if name == "trim" {
            return Ok(Operand::Field(Field { trimmed: true, ..self.text_field()? }));
        }
        if name == "substringof" {
            let part = self.text()?;
            self.expect(&Token::Comma)?;
            return Ok(Operand::Answer(Filter::Contains(self.text_field()?, part)));
        }
        let field = self.text_field()?;
        self.expect(&Token::Comma)?;
        let part = self.text()?;
        match name {
            "startswith" => Ok(Operand::Answer(Filter::StartsWith(field, part))),
            "endswith" => Ok(Operand::Answer(Filter::EndsWith(field, part))),
            _ => Err(BadFilter),
        }
    }

    fn text_field(&mut self) -> Result<Field, BadFilter> {
        match self.operand()? {
            Operand::Field(field) if field.edm == Edm::Text => Ok(field),
            _ => Err(BadFilter),
        }
    }

    fn text(&mut self) -> Result<String, BadFilter> {
        match self.next()? {
            Token::Literal(Value::Text(text)) => Ok(text),
            _ => Err(BadFilter),
        }
    }

    fn field(&self, name: &str) -> Result<Field, BadFilter> {
        let position = self.shape.position(name).ok_or(BadFilter)?;
        let edm = self.shape.properties[position].edm;
        if edm == Edm::Navigation { Err(BadFilter) } else { Ok(Field { position, edm, trimmed: false }) }
    }

    fn next(&mut self) -> Result<Token, BadFilter> {
        let token = self.tokens.get(self.at).cloned().ok_or(BadFilter)?;
        self.at += 1;
        Ok(token)
    }

    fn expect(&mut self, token: &Token) -> Result<(), BadFilter> {
        if self.next()? == *token { Ok(()) } else { Err(BadFilter) }
    }

    fn peek_word(&self) -> Option<&str> {
        match self.tokens.get(self.at) {
            Some(Token::Word(word)) => Some(word),
            _ => None,
        }
    }

    fn take_word(&mut self, word: &str) -> bool {
        let taken = self.peek_word() == Some(word);
        self.at += usize::from(taken);
        taken
    }
}
