//! Where questions are asked: a terminal, or whatever standard input brings line by line.

use std::io::{BufRead, Read as _, Write};

use super::InitError;

/// No answer is longer.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// A person who answers, or a file that does.
pub(super) struct Terminal<R, W> {
    input: R,
    output: W,
    /// Nothing comes any more: the usual answers are taken.
    has_ended: bool,
    /// Answers are not seen where they are given, and are shown after their questions.
    is_unseen: bool,
}

impl<R: BufRead, W: Write> Terminal<R, W> {
    pub(super) fn new(input: R, output: W, is_unseen: bool) -> Self {
        Self { input, output, has_ended: false, is_unseen }
    }

    pub(super) fn say(&mut self, text: &str) -> Result<(), InitError> {
        writeln!(self.output, "{text}").and_then(|()| self.output.flush()).map_err(InitError::Process)
    }

    /// Asks until the answer fits. An empty answer is the usual one, `-` is an empty text, and at the end of the input the
    /// usual answer is taken as it is.
    pub(super) fn ask<T>(
        &mut self,
        question: &str,
        usual: &str,
        fits: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, InitError> {
        let shown = if usual.is_empty() { "-" } else { usual };
        loop {
            write!(self.output, "{question} [{shown}]: ")
                .and_then(|()| self.output.flush())
                .map_err(InitError::Process)?;
            let mut line = String::new();
            if !self.has_ended {
                let read = self.input.by_ref().take(ANSWER_BYTES_MAX).read_line(&mut line);
                self.has_ended = read.map_err(InitError::Process)? == 0;
            }
            if self.is_unseen || self.has_ended {
                self.say(line.trim())?;
            }
            let answer = match line.trim() {
                "" => usual,
                "-" => "",
                answer => answer,
            };
            match fits(answer) {
                Ok(fitting) => return Ok(fitting),
                Err(problem) if self.has_ended => return Err(InitError::Answers(problem)),
                Err(problem) => self.say(&format!("  {problem}"))?,
            }
        }
    }
}
