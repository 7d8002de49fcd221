//! Words of a closed list.

use std::collections::HashMap;

use model::{Content, Value};
use rust_decimal::prelude::ToPrimitive;

use super::LensProblem;

/// How many words a message lists.
const TOLD: usize = 20;

/// What Exact holds for a word of CustomCRM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
}

/// The table of an enum: each word of CustomCRM with the words of Exact that are read as it, of which the first is
/// written. A word without any is one that CustomCRM knows and Exact never says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    rows: Vec<(String, Vec<Word>)>,
    by_word: HashMap<String, usize>,
    by_text: HashMap<String, usize>,
    by_number: HashMap<i64, usize>,
}

/// Why a table of words can't work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWords {
    /// It has no rows.
    #[error("an enum needs its table: words = {{ CrmWord = \"ExactWord\" }}")]
    NoRows,
    /// A word is empty or has blanks at its ends, which are left out when content is read.
    #[error(
        "the word {word:?} is empty or has blanks at its ends, so it could never be read: write it without"
    )]
    Blank {
        /// The word.
        word: String,
    },
    /// A word of CustomCRM has two rows.
    #[error("CustomCRM's word {word:?} has two rows: write one, with a list of Exact's words")]
    TwoRows {
        /// The word.
        word: String,
    },
    /// A word of Exact stands in two rows.
    #[error(
        "two of CustomCRM's words stand for Exact's {word:?}, so it could not be read back: give each its own"
    )]
    Twice {
        /// The word.
        word: String,
    },
    /// Some of Exact's words are texts and some are numbers.
    #[error("some of Exact's words are texts and some are numbers: a property holds the one or the other")]
    Mixed,
}

impl Words {
    /// Makes the table of these rows.
    ///
    /// # Errors
    /// A word could not be read back, or a property could not hold all words.
    pub fn new(rows: Vec<(String, Vec<Word>)>) -> Result<Self, InvalidWords> {
        if rows.is_empty() {
            return Err(InvalidWords::NoRows);
        }
        let mut table = Self {
            rows: Vec::new(),
            by_word: HashMap::new(),
            by_text: HashMap::new(),
            by_number: HashMap::new(),
        };
        for (at, (word, exact)) in rows.iter().enumerate() {
            if table.by_word.insert(readable(word)?.to_owned(), at).is_some() {
                return Err(InvalidWords::TwoRows { word: word.clone() });
            }
            for word in exact {
                let known = match word {
                    Word::Text(text) => table.by_text.insert(readable(text)?.to_owned(), at),
                    Word::Number(number) => table.by_number.insert(*number, at),
                };
                if known.is_some() {
                    return Err(InvalidWords::Twice { word: word.to_string() });
                }
            }
        }
        if !table.by_text.is_empty() && !table.by_number.is_empty() {
            return Err(InvalidWords::Mixed);
        }
        table.rows = rows;
        Ok(table)
    }

    /// The rows, in the order in which they were given.
    pub fn rows(&self) -> &[(String, Vec<Word>)] {
        &self.rows
    }

    pub(super) fn are_numbers(&self) -> bool {
        !self.by_number.is_empty()
    }

    /// CustomCRM's word, where the table has it.
    pub(super) fn known<'a>(&self, word: &'a str) -> Result<&'a str, LensProblem> {
        self.row(word).map(|_| word)
    }

    /// CustomCRM's word for what Exact holds.
    pub(super) fn get(&self, content: &Content) -> Result<Value, LensProblem> {
        let at = match content {
            Content::Text(text) if text.trim().is_empty() => return Ok(Value::Empty),
            Content::Text(text) if !self.are_numbers() => self.by_text.get(text.trim()),
            Content::Number(number) if self.are_numbers() => {
                // What is no whole number of this range is no word either.
                number.to_i64().filter(|_| number.is_integer()).and_then(|number| self.by_number.get(&number))
            }
            other => {
                let expected = if self.are_numbers() { "a number" } else { "a text" };
                return Err(LensProblem::Kind { expected, found: other.kind() });
            }
        };
        match at {
            Some(at) => Ok(Value::Text(self.rows[*at].0.clone())),
            None => {
                Err(LensProblem::UnknownWord { known: list(self.rows.iter().flat_map(|(_, exact)| exact)) })
            }
        }
    }

    /// What Exact is given for CustomCRM's word.
    pub(super) fn put(&self, word: &str) -> Result<Content, LensProblem> {
        match self.row(word)?.first() {
            Some(Word::Text(text)) => Ok(Content::from(text.as_str())),
            Some(Word::Number(number)) => Ok(Content::Number((*number).into())),
            None => Err(LensProblem::NoWord { word: word.to_owned() }),
        }
    }

    fn row(&self, word: &str) -> Result<&[Word], LensProblem> {
        match self.by_word.get(word) {
            Some(at) => Ok(&self.rows[*at].1),
            None => Err(LensProblem::UnknownWord { known: list(self.rows.iter().map(|(word, _)| word)) }),
        }
    }
}

impl std::fmt::Display for Word {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

fn readable(word: &str) -> Result<&str, InvalidWords> {
    if word.is_empty() || word.trim() != word {
        Err(InvalidWords::Blank { word: word.to_owned() })
    } else {
        Ok(word)
    }
}

/// The first words of many, and how many more there are.
pub(super) fn list<W: ToString>(words: impl Iterator<Item = W>) -> String {
    let mut words = words.map(|word| word.to_string());
    let told: Vec<String> = words.by_ref().take(TOLD).collect();
    match words.count() {
        0 => told.join(", "),
        more => format!("{} and {more} more", told.join(", ")),
    }
}
