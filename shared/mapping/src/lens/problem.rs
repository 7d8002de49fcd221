//! Why content or a value does not fit.

use super::List;

/// Why content or a value does not fit. Never holds the value itself: it may be personal. A code of one of Exact's
/// lists is named, because it is nobody's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LensProblem {
    /// The vendor's content is of another kind.
    #[error("holds {found} where {expected} belongs")]
    Kind {
        /// What was expected.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// The text is longer than the target holds.
    #[error("is {length} characters long; at most {max} fit: shorten it")]
    TooLong {
        /// How long it is.
        length: usize,
        /// How long it may be.
        max: usize,
    },
    /// The word stands in no list.
    #[error("holds a word that the pair file's table does not list; it lists: {known}")]
    UnknownWord {
        /// The words that it lists.
        known: String,
    },
    /// The word stands in the table and has no word of Exact. Words of a pair file are not personal.
    #[error(
        "holds {word:?}, for which Exact has no word: give it one in the pair file's table, or choose another"
    )]
    NoWord {
        /// The word.
        word: String,
    },
    /// The country is neither a code nor a known name.
    #[error(
        "holds no ISO 3166 country code, nor a country name that is known here: write the code of two letters"
    )]
    UnknownCountry,
    /// The language has not the form of a code.
    #[error("holds no language code: write two letters such as NL, or with a region NL-BE")]
    Language,
    /// The currency has not the form of a code.
    #[error("holds no currency code: write three letters, such as EUR")]
    Currency,
    /// The code stands in none of the list's entries.
    #[error("holds the code {}, which Exact's {} do not have: add it there, or choose one of them", cut(.code), .list.title())]
    UnknownCode {
        /// The list.
        list: List,
        /// The code.
        code: String,
    },
    /// The id is that of none of the list's entries.
    #[error("refers to an entry that Exact's {} did not have when they were last read", .list.title())]
    UnknownEntry {
        /// The list.
        list: List,
    },
    /// The list is needed and has not been read.
    #[error("needs Exact's {}, which have not been read yet: check that the API user may read them", .list.title())]
    UnreadList {
        /// The list.
        list: List,
    },
    /// The id can't be one.
    #[error("holds no usable id")]
    Id,
    /// The number is beyond what can be held exactly.
    #[error("holds a number with more digits than can be held exactly")]
    Number,
    /// The number has decimal places, or is none.
    #[error("holds no whole number")]
    NotWhole,
    /// The number is neither 1 nor 0.
    #[error("holds a number other than 1 or 0 where yes or no belongs")]
    Flag,
    /// The text is no day.
    #[error("holds no date: write it as {form}")]
    Date {
        /// An example of the form that the system uses.
        form: &'static str,
    },
    /// The text is no moment.
    #[error("holds no date and time: write it as {form}")]
    Moment {
        /// An example of the form that the system uses.
        form: &'static str,
    },
    /// The day or moment is outside the years that both systems hold.
    #[error("holds a date outside the years 1 to 9999")]
    Year,
    /// The reference can't be written yet.
    #[error("refers to a record that has no partner there yet")]
    Unresolved,
    /// The user is not known in both systems.
    #[error(
        "names a user whom only one system knows by this e-mail address: give them an account in the other"
    )]
    UnknownPerson,
}

/// A code as it is shown: quoted, so that nothing in it takes effect, and no longer than codes are.
fn cut(code: &str) -> String {
    let shown: String = code.chars().take(40).collect();
    format!("{shown:?}{}", if shown.len() < code.len() { "..." } else { "" })
}
