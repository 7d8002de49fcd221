//! Texts that share one text of Exact, each as a line `label: text`.
//!
//! A label is recognised whatever its case and however many blanks stand around it, because people edit these
//! texts. Of two lines with one label the first is read, and both are replaced when the text is written.

use super::texts;

/// What a line begins with, such as `E-mail`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label(String);

/// Why a text is no label.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a label has neither a colon nor a line end in it nor blanks at its ends, and is not empty")]
pub struct InvalidLabel;

impl Label {
    /// Reads a label.
    ///
    /// # Errors
    /// No line that begins with it could be told from others.
    pub fn parse(text: &str) -> Result<Self, InvalidLabel> {
        let is_plain = !text.is_empty() && text.trim() == text && !text.contains([':', '\r', '\n']);
        if is_plain { Ok(Self(text.to_owned())) } else { Err(InvalidLabel) }
    }

    /// The label as it was read.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a line of Exact that begins with the one label begins with the other as well.
    pub fn is_same(&self, other: &Self) -> bool {
        self.names(&other.0)
    }

    fn names(&self, text: &str) -> bool {
        text.chars().flat_map(char::to_lowercase).eq(self.0.chars().flat_map(char::to_lowercase))
    }

    /// What follows the label in a line that begins with it.
    fn text_in<'a>(&self, line: &'a str) -> Option<&'a str> {
        let (label, text) = line.split_once(':')?;
        self.names(label.trim()).then(|| text.trim())
    }
}

/// The text of the line with this label; empty where there is none.
pub fn read(text: &str, label: &Label) -> String {
    lines(text).find_map(|line| label.text_in(line)).unwrap_or_default().to_owned()
}

/// The text without the lines that have one of these labels, and without blanks at its ends.
pub fn rest(text: &str, labels: &[&Label]) -> String {
    let is_labelled = |line: &str| labels.iter().any(|label| label.text_in(line).is_some());
    let text = texts::plain(text);
    let kept: Vec<&str> = lines(&text).filter(|line| !is_labelled(line)).collect();
    kept.join("\n").trim().to_owned()
}

/// A text of these lines, in this order, and of the rest below them. A label whose text is empty has no line.
pub fn write(labelled: &[(&Label, &str)], rest: &str) -> String {
    let labelled = labelled.iter().map(|(label, text)| (label, one_line(text)));
    let lines =
        labelled.filter(|(_, text)| !text.is_empty()).map(|(label, text)| format!("{}: {text}", label.0));
    let rest = Some(rest.trim()).filter(|rest| !rest.is_empty()).map(str::to_owned);
    lines.chain(rest).collect::<Vec<_>>().join("\n")
}

/// The canonical form: line ends become blanks.
pub(super) fn one_line(text: &str) -> String {
    lines(text).map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\n', '\r'])
}
