//! Texts, codes and phone numbers.

use super::LensProblem;

/// What becomes of a text that is longer than fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// It is refused, so that a person shortens it.
    Refuse,
    /// Its end is left out.
    Cut,
}

/// Whether nothing is written but blanks.
pub(super) fn is_blank(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}

/// Without blanks at its ends, line ends as `\n`.
pub(super) fn plain(text: &str) -> String {
    let text = text.trim();
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.to_owned() }
}

pub(super) fn code(text: &str, upper: bool, compact: bool) -> String {
    let is_left_out = |c: char| compact && (c.is_whitespace() || matches!(c, '.' | '-'));
    let mut kept = String::with_capacity(text.len());
    kept.extend(text.trim().split(is_left_out));
    if !upper {
        return kept;
    }
    if !kept.is_ascii() {
        return kept.to_uppercase();
    }
    kept.make_ascii_uppercase();
    kept
}

pub(super) fn phone(text: &str) -> String {
    let mut phone = String::with_capacity(text.len());
    for part in text.split_whitespace() {
        if !phone.is_empty() {
            phone.push(' ');
        }
        phone.push_str(part);
    }
    phone
}

/// The code of a language, with or without a region; `None` for what has not that form.
pub(super) fn language(text: &str) -> Option<String> {
    let text = text.trim();
    let (language, region) = match text.split_once(['-', '_']) {
        Some((language, region)) => (language, Some(region)),
        None => (text, None),
    };
    let is_region = |region: &str| is_letters(region, 2..=2) || is_digits(region, 3);
    if !is_letters(language, 2..=3) || region.is_some_and(|region| !is_region(region)) {
        return None;
    }
    let code = region.map_or_else(|| language.to_owned(), |region| format!("{language}-{region}"));
    Some(code.to_ascii_uppercase())
}

/// The code of a currency; `None` for what has not that form.
pub(super) fn currency(text: &str) -> Option<String> {
    Some(text.trim()).filter(|text| is_letters(text, 3..=3)).map(str::to_ascii_uppercase)
}

/// The text, where it fits or may be cut.
pub(super) fn fitting(text: String, max: Option<usize>, over: Over) -> Result<String, LensProblem> {
    // A text has at least as many bytes as characters, so most need no counting.
    let Some(max) = max.filter(|max| text.len() > *max) else { return Ok(text) };
    let Some((end, _)) = text.char_indices().nth(max) else { return Ok(text) };
    match over {
        Over::Refuse => Err(LensProblem::TooLong { length: text.chars().count(), max }),
        Over::Cut => Ok(text[..end].trim_end().to_owned()),
    }
}

/// A code of digits with blanks before it, up to this width.
pub(super) fn padded(code: String, width: Option<u8>) -> String {
    match width {
        Some(width) if is_digits(&code, code.len()) => format!("{code:>width$}", width = usize::from(width)),
        _ => code,
    }
}

fn is_letters(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn is_digits(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())
}
