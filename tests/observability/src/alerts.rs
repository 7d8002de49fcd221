//! The rules of `deploy/prometheus/alerts`: what Prometheus computes and judges.

use std::fs;
use std::path::PathBuf;

use serde::Deserialize;

use crate::page::deployed;

/// A file of rules.
#[derive(Debug)]
pub struct File {
    /// Where it is.
    pub path: PathBuf,
    /// All of its rules.
    pub rules: Vec<Rule>,
}

/// An alert, or a series that is computed for alerts and panels.
#[derive(Debug)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// What is computed.
    pub expression: String,
    /// Of an alert, where it is said what to do: a path in the tree.
    pub runbook: Option<String>,
}

#[derive(Deserialize)]
struct Written {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    rules: Vec<WrittenRule>,
}

#[derive(Deserialize)]
struct WrittenRule {
    alert: Option<String>,
    record: Option<String>,
    expr: String,
    #[serde(default)]
    annotations: Annotations,
}

#[derive(Deserialize, Default)]
struct Annotations {
    runbook: Option<String>,
}

/// All files that the configuration names.
///
/// # Panics
///
/// When one can't be read.
pub fn files() -> Vec<File> {
    #[derive(Deserialize)]
    struct Config {
        rule_files: Vec<String>,
    }
    let folder = deployed("prometheus");
    let config: Config = read(&folder.join("prometheus.yml"));
    config.rule_files.iter().map(|file| file_of(folder.join(file))).collect()
}

fn file_of(path: PathBuf) -> File {
    let written: Written = read(&path);
    let rules = written.groups.into_iter().flat_map(|group| group.rules).map(|rule| Rule {
        name: rule.alert.or(rule.record).expect("a rule has a name"),
        expression: rule.expr,
        runbook: rule.annotations.runbook,
    });
    File { rules: rules.collect(), path }
}

fn read<T: for<'de> Deserialize<'de>>(path: &PathBuf) -> T {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_norway::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

impl Rule {
    /// The series that it looks at: names with their conditions.
    pub fn selectors(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut rest = self.expression.as_str();
        let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || "_:".contains(letter);
        while let Some(start) = rest.find(|letter: char| letter.is_ascii_alphabetic()) {
            rest = &rest[start..];
            let end = rest.find(|letter| !is_of_name(letter)).unwrap_or(rest.len());
            let (name, behind) = rest.split_at(end);
            rest = behind;
            let is_ours =
                ["tandem", "http_client_"].iter().any(|begin| name.starts_with(begin)) || name == "up";
            if !is_ours || name == "tandem" {
                continue;
            }
            let conditions = behind.strip_prefix('{').and_then(|behind| behind.split_once('}'));
            found.push(
                conditions.map_or_else(|| name.to_owned(), |(inside, _)| format!("{name}{{{inside}}}")),
            );
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::Rule;

    #[test]
    fn the_series_of_a_rule_are_found_with_their_conditions() {
        let expression =
            "min by (pair) (tandem_a{state=\"x\"}) > 0 and up{job=\"tandem\"} == tandem:b:rate5m".to_owned();
        let rule = Rule { name: "a".to_owned(), expression, runbook: None };
        assert_eq!(rule.selectors(), ["tandem_a{state=\"x\"}", "up{job=\"tandem\"}", "tandem:b:rate5m"]);
    }
}
