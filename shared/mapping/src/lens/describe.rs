//! What people read about a lens.

use rust_decimal::Decimal;

use super::{Holds, Lens, Over, words};

impl Lens {
    /// How the property is carried over, in one short phrase, such as `text, at most 50 characters`.
    pub fn describe(&self) -> String {
        match self {
            Self::Text { max, over } => {
                let longer = if max.is_some() && *over == Over::Cut { ", a longer one is cut" } else { "" };
                format!("text{}{longer}", at_most(*max))
            }
            Self::Code { upper, compact, pad, max } => {
                let upper = if *upper { ", upper case" } else { "" };
                let compact = if *compact { ", without blanks, dots and hyphens" } else { "" };
                let pad = pad.map_or_else(String::new, |pad| format!(", digits padded to {pad} in Exact"));
                format!("code{upper}{compact}{pad}{}", at_most(*max))
            }
            Self::Email { max } => format!("e-mail address{}", at_most(*max)),
            Self::Phone { max } => format!("phone number{}", at_most(*max)),
            Self::Country => "country, as its ISO 3166 code of two letters".to_owned(),
            Self::Language => "language code".to_owned(),
            Self::Currency => "currency code of three letters".to_owned(),
            Self::Enum { words } => {
                let rows = words.rows().iter().map(|(word, exact)| {
                    let exact: Vec<String> = exact.iter().map(ToString::to_string).collect();
                    if exact.is_empty() {
                        format!("{word} (never said by Exact)")
                    } else {
                        format!("{word} = {}", exact.join(" or "))
                    }
                });
                format!("one of: {}", words::list(rows))
            }
            Self::Decimal { factor, places } => decimal(*factor, *places),
            Self::Integer { text } => {
                format!("whole number{}", if *text { ", as a text in CustomCRM" } else { "" })
            }
            Self::Boolean { inverted, byte } => {
                let inverted = if *inverted { ", the opposite in Exact" } else { "" };
                format!("yes or no{inverted}{}", if *byte { ", as 1 or 0 in Exact" } else { "" })
            }
            Self::Date => "day, without a time zone".to_owned(),
            Self::Timestamp => "moment, to the millisecond".to_owned(),
            Self::ActiveUntil => "yes or no, as the last day of use in Exact".to_owned(),
            Self::Reference { pair } => format!("link of {pair}"),
            Self::Person => "user, by e-mail address".to_owned(),
            Self::Lookup { list, holds: Holds::Code } => format!("code of Exact's {}", list.title()),
            Self::Lookup { list, holds: Holds::Id } => {
                format!("code of Exact's {}, as the entry's id in Exact", list.title())
            }
            Self::Labelled { label } => {
                format!("text, as the line \"{}: ...\" of a text in Exact", label.as_str())
            }
        }
    }
}

fn at_most(max: Option<usize>) -> String {
    max.map_or_else(String::new, |max| format!(", at most {max} characters"))
}

fn decimal(factor: Decimal, places: u32) -> String {
    let places = match places {
        1 => "1 decimal place".to_owned(),
        places => format!("{places} decimal places"),
    };
    if factor == Decimal::ONE {
        format!("number, {places}")
    } else if factor == Decimal::new(1, 2) {
        format!("per cent, {places}, as a fraction in Exact")
    } else {
        format!("number, {places}, times {factor} in Exact")
    }
}
