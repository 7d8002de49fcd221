//! The words and signs of the filter language.

use jiff::tz::TimeZone;
use uuid::Uuid;

use super::BadFilter;
use crate::edm::{Value, decimal, wall_clock};

/// Reads the literals of a skip token, which are separated by commas.
pub(crate) fn literals(text: &str) -> Result<Vec<Value>, BadFilter> {
    let tokens = tokens(text)?;
    let mut values = Vec::new();
    for (position, token) in tokens.iter().enumerate() {
        match token {
            Token::Literal(value) if position % 2 == 0 => values.push(value.clone()),
            Token::Comma if position % 2 == 1 => {}
            _ => return Err(BadFilter),
        }
    }
    Ok(values)
}

/// A word or sign of the filter language.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Open,
    Close,
    Comma,
    Word(String),
    Literal(Value),
}

/// Takes a text apart.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, BadFilter> {
    let mut rest = text.trim_start();
    let mut tokens = Vec::new();
    while let Some(first) = rest.chars().next() {
        let (token, after) = match first {
            '(' => (Token::Open, &rest[1..]),
            ')' => (Token::Close, &rest[1..]),
            ',' => (Token::Comma, &rest[1..]),
            '\'' => quoted(rest).map(|(text, after)| (Token::Literal(Value::Text(text)), after))?,
            _ => word_or_number(rest)?,
        };
        tokens.push(token);
        rest = after.trim_start();
    }
    Ok(tokens)
}

/// The quoted text at the start; a doubled quote stands for one.
fn quoted(text: &str) -> Result<(String, &str), BadFilter> {
    let mut content = String::new();
    let mut rest = text.strip_prefix('\'').ok_or(BadFilter)?;
    loop {
        let end = rest.find('\'').ok_or(BadFilter)?;
        content.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('\'') {
            Some(after) => {
                content.push('\'');
                rest = after;
            }
            None => return Ok((content, rest)),
        }
    }
}

fn word_or_number(text: &str) -> Result<(Token, &str), BadFilter> {
    let is_part = |character: char| character.is_ascii_alphanumeric() || "_.+-/".contains(character);
    let end = text.find(|character| !is_part(character)).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    if rest.starts_with('\'') && matches!(word, "guid" | "datetime") {
        let (content, after) = quoted(rest)?;
        let value = if word == "guid" {
            Value::Guid(Uuid::try_parse(&content).map_err(|_| BadFilter)?)
        } else {
            // The documentation asks for the time part as well.
            let full = content.contains('T');
            Value::DateTime(wall_clock(&content, &TimeZone::UTC).filter(|_| full).ok_or(BadFilter)?)
        };
        return Ok((Token::Literal(value), after));
    }
    if word.is_empty() || rest.starts_with('\'') {
        return Err(BadFilter);
    }
    if word.starts_with(|character: char| character.is_ascii_digit() || character == '-') {
        return Ok((Token::Literal(number(word)?), rest));
    }
    let token = match word {
        "true" => Token::Literal(Value::Boolean(true)),
        "false" => Token::Literal(Value::Boolean(false)),
        "null" => Token::Literal(Value::Null),
        _ => Token::Word(word.to_owned()),
    };
    Ok((token, rest))
}

fn number(word: &str) -> Result<Value, BadFilter> {
    if let Some(digits) = word.strip_suffix('L') {
        return digits.parse().map(Value::Integer).map_err(|_| BadFilter);
    }
    if let Ok(whole) = word.parse() {
        return Ok(Value::Integer(whole));
    }
    let digits = word.strip_suffix(['M', 'm', 'D', 'd', 'F', 'f']).unwrap_or(word);
    decimal(digits).map(Value::Double).ok_or(BadFilter)
}
