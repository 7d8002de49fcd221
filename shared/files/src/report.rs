//! What is wrong with a file, gathered.

use crate::{FileProblem, Place};

/// The file that is read, and all that was found wrong with it so far.
pub struct Report<'a> {
    file: &'a str,
    text: &'a str,
    problems: Vec<FileProblem>,
}

impl<'a> Report<'a> {
    /// Nothing is wrong yet. `file` is its name for messages.
    pub const fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text, problems: Vec::new() }
    }

    /// The file's name for messages.
    pub const fn file(&self) -> &'a str {
        self.file
    }

    /// What is written in it.
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// The place of a byte of the text.
    pub fn place(&self, at: usize) -> Place {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Place { line, column }
    }

    /// Something is wrong at this byte of the text.
    pub fn refuse(&mut self, at: usize, problem: impl Into<String>) {
        self.refuse_at(self.place(at), problem);
    }

    /// Something is wrong at this place.
    pub fn refuse_at(&mut self, place: Place, problem: impl Into<String>) {
        self.problems.push(place.problem(self.file, problem.into()));
    }

    /// All problems in the order of the file.
    pub fn into_problems(mut self) -> Vec<FileProblem> {
        self.problems.sort_by_key(|problem| (problem.line, problem.column));
        self.problems.dedup();
        self.problems
    }
}
