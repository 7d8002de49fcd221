//! Texts with names in braces that are filled in.

/// A text such as `{property}="{value}"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Name(&'static str),
}

impl Template {
    /// Reads a text in which these names may stand in braces, and those of them that `must` must.
    ///
    /// # Errors
    /// What is wrong and what to write instead.
    pub(crate) fn parse(text: &str, may: &[&'static str], must: &[&'static str]) -> Result<Self, String> {
        let known = || may.iter().map(|name| format!("{{{name}}}")).collect::<Vec<_>>().join(", ");
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let Some(close) = rest[open..].find('}').map(|length| open + length) else {
                return Err(format!("the brace in {text:?} is not closed: close it"));
            };
            let name = &rest[open + 1..close];
            let Some(name) = may.iter().copied().find(|known| *known == name) else {
                return Err(format!("{{{name}}} is unknown here: known are {}", known()));
            };
            parts.push(Part::Text(rest[..open].to_owned()));
            parts.push(Part::Name(name));
            rest = &rest[close + 1..];
        }
        parts.push(Part::Text(rest.to_owned()));
        let template = Self(parts);
        match must.iter().find(|name| !template.names(name)) {
            Some(missing) => Err(format!("{{{missing}}} is missing in {text:?}: write where it stands")),
            None => Ok(template),
        }
    }

    /// Whether this name stands in it.
    pub(crate) fn names(&self, name: &str) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Name(own) if *own == name))
    }

    /// The text with these values in place of their names.
    pub(crate) fn fill(&self, values: &[(&str, &str)]) -> String {
        let value =
            |name: &str| values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| *value);
        self.0
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.as_str(),
                Part::Name(name) => value(name),
            })
            .collect()
    }
}

impl std::fmt::Display for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(text),
            Part::Name(name) => write!(f, "{{{name}}}"),
        })
    }
}
