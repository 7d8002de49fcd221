//! What is told of dead letters. Pure.

use std::io::{self, IsTerminal as _};

use comfy_table::{ContentArrangement, Table, presets};
use operations::{DeadLetter, Done, Letters};
use serde::Serialize;

/// Columns of a terminal that a table is made for.
const WIDTH: u16 = 160;

/// A dead letter and all that it holds.
#[derive(Serialize)]
pub(super) struct WithContent<'a> {
    #[serde(flatten)]
    letter: &'a DeadLetter,
    /// As text: what is not UTF-8 can't be a message of ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
}

impl<'a> WithContent<'a> {
    pub(super) fn of(letter: &'a DeadLetter, content: Option<&[u8]>) -> Self {
        Self { letter, content: content.map(|content| String::from_utf8_lossy(content).into_owned()) }
    }
}

/// For programs.
pub(super) fn json(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value).expect("letters hold texts and numbers only");
    format!("{text}\n")
}

/// All that were found, with a line that counts.
pub(super) fn list(found: &Letters) -> String {
    let count = found.letters.len();
    let others = match found.others {
        0 => String::new(),
        others => format!("; {others} others are not shown"),
    };
    if count == 0 {
        return format!("no dead letters{others}\n");
    }
    let table = table(&found.letters);
    format!("{table}\n{count} dead letters{others}\n")
}

/// One of them.
pub(super) fn one(letter: &DeadLetter, content: Option<&[u8]>) -> String {
    let none = || "-".to_owned();
    let about = &letter.about;
    let rows = [
        ("id", letter.id.clone()),
        ("at", letter.at.map_or_else(none, |at| at.to_string())),
        ("queue", letter.queue.clone().unwrap_or_else(none)),
        ("reason", letter.reason.clone()),
        ("kind", about.kind.unwrap_or("unreadable").to_owned()),
        ("connection", about.connection.clone().unwrap_or_else(none)),
        ("of", about.pair_or_entity.clone().unwrap_or_else(none)),
        ("record or link", about.link_or_record.clone().unwrap_or_else(none)),
        ("bytes", letter.bytes.to_string()),
    ];
    let mut lines: Vec<String> = rows.iter().map(|(name, value)| format!("{name:<15} {value}")).collect();
    if let Some(content) = content {
        lines.extend([String::new(), String::from_utf8_lossy(content).into_owned()]);
    }
    lines.join("\n") + "\n"
}

/// What became of them.
pub(super) fn done(act: &str, done: &Done) -> String {
    let stayed = done.stayed.iter().map(|stayed| format!("stayed: {}, {}", stayed.letter.id, stayed.why));
    let unknown = done.unknown.iter().map(|id| format!("unknown: {id}"));
    let lines: Vec<String> =
        [format!("{act}: {}", done.letters.len())].into_iter().chain(stayed).chain(unknown).collect();
    lines.join("\n") + "\n"
}

fn table(letters: &[DeadLetter]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    // Read by a program, each letter is one line.
    if io::stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH);
    }
    table.set_header(["id", "at", "queue", "kind", "connection", "record or link", "reason"]);
    for letter in letters {
        let (about, none) = (&letter.about, "-".to_owned());
        table.add_row([
            letter.id.clone(),
            letter.at.map_or_else(|| none.clone(), |at| at.to_string()),
            letter.queue.clone().unwrap_or_else(|| none.clone()),
            about.kind.unwrap_or("unreadable").to_owned(),
            about.connection.clone().unwrap_or_else(|| none.clone()),
            about.link_or_record.clone().unwrap_or(none),
            letter.reason.clone(),
        ]);
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}
