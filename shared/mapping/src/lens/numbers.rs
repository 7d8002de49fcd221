//! Numbers. Never a float.

use model::{Content, System, Value};
use rust_decimal::{Decimal, RoundingStrategy};

use super::LensProblem;

pub(super) fn get(
    system: System,
    content: &Content,
    factor: Decimal,
    places: u32,
) -> Result<Value, LensProblem> {
    let Content::Number(number) = content else {
        return Err(LensProblem::Kind { expected: "a number", found: content.kind() });
    };
    canonical(system, *number, factor, places).map(Value::Decimal)
}

pub(super) fn put(
    system: System,
    number: Decimal,
    factor: Decimal,
    places: u32,
) -> Result<Content, LensProblem> {
    let number = rounded(number, places);
    if system == System::CustomCrm || factor == Decimal::ONE {
        return Ok(Content::Number(number));
    }
    let written = number.checked_mul(factor).ok_or(LensProblem::Number)?.normalize();
    // A product that needs more digits than a decimal has is rounded; then it does not say what was put.
    if canonical(system, written, factor, places)? == number {
        Ok(Content::Number(written))
    } else {
        Err(LensProblem::Number)
    }
}

fn canonical(system: System, number: Decimal, factor: Decimal, places: u32) -> Result<Decimal, LensProblem> {
    let number = match system {
        System::ExactOnline if factor != Decimal::ONE => {
            number.checked_div(factor).ok_or(LensProblem::Number)?
        }
        System::CustomCrm | System::ExactOnline => number,
    };
    Ok(rounded(number, places))
}

fn rounded(number: Decimal, places: u32) -> Decimal {
    number.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero).normalize()
}

/// A whole number, as a number or as a text of digits: Exact gives the largest as a text.
pub(super) fn get_whole(content: &Content) -> Result<Value, LensProblem> {
    let number = match content {
        Content::Number(number) => *number,
        Content::Text(text) => match text.trim() {
            "" => return Ok(Value::Empty),
            text => whole_in(text).ok_or(LensProblem::NotWhole)?,
        },
        other => return Err(LensProblem::Kind { expected: "a whole number", found: other.kind() }),
    };
    if number.is_integer() { Ok(Value::Decimal(number.normalize())) } else { Err(LensProblem::NotWhole) }
}

fn whole_in(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_whole { Decimal::from_str_exact(text).ok() } else { None }
}

pub(super) fn put_whole(system: System, number: Decimal, is_text: bool) -> Result<Content, LensProblem> {
    if !number.is_integer() {
        return Err(LensProblem::NotWhole);
    }
    let number = number.normalize();
    Ok(match system {
        System::CustomCrm if is_text => Content::Text(number.to_string()),
        System::CustomCrm | System::ExactOnline => Content::Number(number),
    })
}
