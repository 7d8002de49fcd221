//! Where something stands in what a CRM sends.

use model::{Content, Properties};
use serde_json::Value;

/// The way to a value: the names of the objects and properties on it, the outermost first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path(Vec<String>);

impl Path {
    /// Reads a path such as `meta.version`; `None` where a name in it is empty.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let names: Vec<String> = text.split('.').map(str::to_owned).collect();
        names.iter().all(|name| !name.is_empty()).then_some(Self(names))
    }

    /// What stands there.
    pub(crate) fn find<'a>(&self, properties: &'a Properties) -> Option<&'a Content> {
        let (last, objects) = self.0.split_last()?;
        let mut properties = properties;
        for name in objects {
            properties = match properties.get(name)? {
                Content::Object(inner) => inner,
                _ => return None,
            };
        }
        properties.get(last)
    }

    /// What stands there in any JSON.
    pub(crate) fn find_in<'a>(&self, json: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(json, |value, name| value.get(name.as_str()))
    }

    /// Takes out what stands there.
    pub(crate) fn take(&self, properties: &mut Properties) -> Option<Content> {
        let (last, objects) = self.0.split_last()?;
        let mut properties = properties;
        for name in objects {
            properties = match properties.get_mut(name)? {
                Content::Object(inner) => inner,
                _ => return None,
            };
        }
        properties.remove(last)
    }

    /// Puts a value there, and makes the objects on the way.
    pub(crate) fn put(&self, properties: &mut Properties, value: Content) {
        let Some((last, objects)) = self.0.split_last() else { return };
        let mut properties = properties;
        for name in objects {
            let entry = properties.entry(name.clone()).or_insert(Content::Null);
            if !matches!(entry, Content::Object(_)) {
                *entry = Content::Object(Properties::new());
            }
            let Content::Object(inner) = entry else { return };
            properties = inner;
        }
        properties.insert(last.clone(), value);
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join("."))
    }
}
