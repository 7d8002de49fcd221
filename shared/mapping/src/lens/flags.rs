//! Yes or no, and what Exact holds in its place.

use jiff::civil::Date;
use model::{Content, System, Value};
use rust_decimal::Decimal;

use super::{LensProblem, texts, times};

pub(super) fn get(system: System, content: &Content, inverted: bool) -> Result<Value, LensProblem> {
    let yes = match content {
        Content::Boolean(yes) => *yes,
        Content::Number(number) if *number == Decimal::ONE => true,
        Content::Number(number) if number.is_zero() => false,
        Content::Number(_) => return Err(LensProblem::Flag),
        other => return Err(LensProblem::Kind { expected: "a boolean", found: other.kind() }),
    };
    Ok(Value::Boolean(yes ^ (inverted && system == System::ExactOnline)))
}

pub(super) fn put(system: System, yes: bool, inverted: bool, byte: bool) -> Content {
    match system {
        System::CustomCrm => Content::Boolean(yes),
        System::ExactOnline if byte => Content::Number(Decimal::from(u8::from(yes ^ inverted))),
        System::ExactOnline => Content::Boolean(yes ^ inverted),
    }
}

pub(super) fn get_active(system: System, content: &Content, today: Date) -> Result<Value, LensProblem> {
    match (system, content) {
        (System::CustomCrm, Content::Null) => Ok(Value::Empty),
        (System::CustomCrm, _) => get(system, content, false),
        (System::ExactOnline, Content::Null) => Ok(Value::Boolean(true)),
        (System::ExactOnline, Content::Text(text)) if texts::is_blank(text) => Ok(Value::Boolean(true)),
        (System::ExactOnline, Content::Text(text)) => {
            Ok(Value::Boolean(times::get_date(system, text)? >= today))
        }
        (System::ExactOnline, other) => Err(LensProblem::Kind { expected: "a date", found: other.kind() }),
    }
}

pub(super) fn put_active(system: System, yes: bool, today: Date) -> Result<Content, LensProblem> {
    match system {
        System::CustomCrm => Ok(Content::Boolean(yes)),
        System::ExactOnline if yes => Ok(Content::Null),
        System::ExactOnline => times::put_date(system, today.yesterday().map_err(|_| LensProblem::Year)?),
    }
}
