//! A document of Kubernetes, and the pods that it makes.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize as _;
use serde_json::Value;

/// A document.
#[derive(Debug, Clone)]
pub struct Document {
    /// All of it.
    pub content: Value,
}

/// The template of the pods that a document makes.
#[derive(Debug, Clone, Copy)]
pub struct Template<'a> {
    /// All of it.
    pub content: &'a Value,
}

/// A container of a pod.
#[derive(Debug, Clone, Copy)]
pub struct Container<'a> {
    /// All of it.
    pub content: &'a Value,
}

impl Document {
    /// All documents of a text.
    pub fn all(yaml: &str) -> Vec<Self> {
        let read = |document| Self { content: Value::deserialize(document).unwrap() };
        serde_norway::Deserializer::from_str(yaml).map(read).collect()
    }

    /// Its kind.
    pub fn kind(&self) -> &str {
        text(&self.content["kind"])
    }

    /// Its name.
    pub fn name(&self) -> &str {
        text(&self.content["metadata"]["name"])
    }

    /// What it says beside its name.
    pub fn spec(&self) -> &Value {
        &self.content["spec"]
    }

    /// Its labels.
    pub fn labels(&self) -> BTreeMap<String, String> {
        texts(&self.content["metadata"]["labels"])
    }

    /// The template of its pods, where it makes any.
    pub fn template(&self) -> Option<Template<'_>> {
        let spec = self.spec();
        let content = spec.pointer("/jobTemplate/spec/template").or_else(|| spec.get("template"))?;
        Some(Template { content })
    }
}

impl fmt::Display for Document {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.kind(), self.name())
    }
}

impl<'a> Template<'a> {
    /// The pod's own part.
    pub fn spec(self) -> &'a Value {
        &self.content["spec"]
    }

    /// The labels of its pods.
    pub fn labels(self) -> BTreeMap<String, String> {
        texts(&self.content["metadata"]["labels"])
    }

    /// Its containers, those that start before the others among them.
    pub fn containers(self) -> impl Iterator<Item = Container<'a>> {
        let lists = ["initContainers", "containers"].map(|key| list(&self.spec()[key]));
        lists.into_iter().flatten().map(|content| Container { content })
    }

    /// Its volume of this name.
    pub fn volume(self, name: &str) -> Option<&'a Value> {
        list(&self.spec()["volumes"]).iter().find(|volume| volume["name"] == name)
    }
}

impl<'a> Container<'a> {
    /// Its image without registry, folder and tag.
    pub fn program(self) -> &'a str {
        let image = text(&self.content["image"]);
        let name = image.rsplit('/').next().unwrap_or(image);
        name.split([':', '@']).next().unwrap_or(name)
    }

    /// Whether its image is one of ours.
    pub fn is_ours(self) -> bool {
        let image = text(&self.content["image"]);
        image.starts_with("tandem/") || image.contains("/tandem/")
    }

    /// Its ports by their names.
    pub fn ports(self) -> impl Iterator<Item = (String, u64)> {
        let named = |port: &Value| Some((port["name"].as_str()?.to_owned(), port["containerPort"].as_u64()?));
        list(&self.content["ports"]).iter().filter_map(named)
    }

    /// Its arguments, with the variables that it is given.
    pub fn arguments(self) -> Vec<String> {
        let variables = list(&self.content["env"]);
        let given = |argument: &Value| {
            variables.iter().fold(text(argument).to_owned(), |argument, variable| {
                argument.replace(
                    &format!("$({})", text(&variable["name"])),
                    variable["value"].as_str().unwrap_or_default(),
                )
            })
        };
        list(&self.content["args"]).iter().map(given).collect()
    }
}

/// Whether a selector of labels finds these. An empty one finds all.
pub fn matches(selector: &Value, labels: &BTreeMap<String, String>) -> bool {
    let equal = texts(&selector["matchLabels"]).iter().all(|(key, value)| labels.get(key) == Some(value));
    equal
        && list(&selector["matchExpressions"]).iter().all(|expression| {
            let label = labels.get(text(&expression["key"]));
            let is_in =
                label.is_some_and(|label| list(&expression["values"]).iter().any(|value| value == label));
            match text(&expression["operator"]) {
                "In" => is_in,
                "NotIn" => !is_in,
                "Exists" => label.is_some(),
                "DoesNotExist" => label.is_none(),
                other => panic!("{other} is no operator"),
            }
        })
}

/// A list; empty where there is none.
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A text.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

fn texts(value: &Value) -> BTreeMap<String, String> {
    let entries = value.as_object().into_iter().flatten();
    entries.map(|(key, value)| (key.clone(), text(value).to_owned())).collect()
}
