//! What was found, for people. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IsTerminal as _};

use comfy_table::{ContentArrangement, Table, presets};
use customcrm::{Declaration, Finding, Verdict};
use mapping::Pair;
use model::System;

/// Columns of a terminal that a table is made for.
const WIDTH: u16 = 140;

/// What became of one connection.
pub(super) struct Checked {
    pub(super) connection: String,
    /// What the CRM is called.
    pub(super) crm: String,
    /// The file of its declaration, or that it has the default API.
    pub(super) declared: String,
    pub(super) findings: Vec<Finding>,
}

impl Checked {
    /// Whether anything is wrong.
    pub(super) fn fails(&self) -> bool {
        self.findings.iter().any(|finding| finding.verdict == Verdict::Fails)
    }
}

/// All of it, with a line that counts.
pub(super) fn told(checked: &Checked, consent: &str) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    // Read by a program, each finding is one line.
    if io::stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH);
    }
    table.set_header(["", "line", "declared", "found"]);
    for finding in &checked.findings {
        table.add_row([word(finding.verdict), &finding.line, &finding.declared, &finding.found]);
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    let table = lines.join("\n");
    let count = |verdict: Verdict| {
        let such = checked.findings.iter().filter(|finding| finding.verdict == verdict);
        format!("{} {}", such.count(), word(verdict))
    };
    let counts = [Verdict::Holds, Verdict::Fails, Verdict::Doubtful].map(count).join(", ");
    let untried = checked.findings.iter().filter(|finding| finding.verdict == Verdict::Untried).count();
    format!(
        "\nconnection {}, {} ({})\n{table}\n{counts}, {untried} not shown by a read\n\
         Exact Online is not called here: `{consent}` shows whether its grant serves.\n",
        checked.connection, checked.crm, checked.declared
    )
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Holds => "ok",
        Verdict::Untried => "-",
        Verdict::Doubtful => "look",
        Verdict::Fails => "wrong",
    }
}

/// Which properties that a pair file names were in no record that was seen.
pub(super) fn of_pair(
    pair: &Pair,
    declaration: &Declaration,
    seen: &BTreeMap<String, BTreeSet<String>>,
) -> Finding {
    let entity = pair.entities[System::CustomCrm].as_str();
    let finding = |verdict, found: String| Finding {
        line: format!("pair {}", pair.name),
        declared: entity.to_owned(),
        verdict,
        found,
    };
    if !declaration.has(entity) {
        let told =
            format!("the declaration has no [collections.{entity}]: add it, or take the pair's file away");
        return finding(Verdict::Fails, told);
    }
    let Some(seen) = seen.get(entity) else {
        return finding(Verdict::Untried, format!("no record of {entity} was seen"));
    };
    let mut names: Vec<String> =
        pair.names(System::CustomCrm).iter().map(|name| (*name).to_owned()).collect();
    if let Some(lines) = &pair.lines {
        let list = &lines.names[System::CustomCrm];
        names.push(list.clone());
        // Lines show only where a document has any.
        if seen.iter().any(|name| name.starts_with(&format!("{list}."))) {
            names.extend(pair.line_names(System::CustomCrm).iter().map(|name| format!("{list}.{name}")));
        }
    }
    let unseen: Vec<&str> = names.iter().filter(|name| !seen.contains(*name)).map(String::as_str).collect();
    if unseen.is_empty() {
        return finding(Verdict::Holds, format!("all {} properties were seen in a record", names.len()));
    }
    finding(
        Verdict::Doubtful,
        format!(
            "in no record of the first page: {}; empty, or called otherwise: see names in the declaration, or the pair's file",
            unseen.join(", ")
        ),
    )
}
