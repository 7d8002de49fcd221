//! What is wrong with a file, and where.

/// Something in a file that can't work: where, what, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {problem}")]
pub struct FileProblem {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// What is wrong and what to write instead.
    pub problem: String,
}

/// A place in a pair file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
}

impl Place {
    /// Where a file begins: for what is missing in it.
    pub const START: Self = Self { line: 1, column: 1 };

    /// A problem at this place.
    pub fn problem(self, file: &str, problem: String) -> FileProblem {
        FileProblem { file: file.to_owned(), line: self.line, column: self.column, problem }
    }
}
