//! A file held against the schema: what does not fit is told and dropped, so that the rest can be read.

use serde_json::Value;
use toml::{
    Spanned,
    de::{DeArray, DeTable, DeValue},
};

use crate::{Report, nearest};

/// Tells all that does not fit the schema and drops it: a key, an element of a list, or the table that can't do
/// without what was dropped. False where that is the whole file.
pub fn fit(root: &mut DeTable<'_>, document: &'static Value, report: &mut Report<'_>) -> bool {
    Shape { document, report, unfit_values: 0 }.table(root, document, 0)
}

struct Shape<'r, 'a> {
    document: &'static Value,
    report: &'r mut Report<'a>,
    /// How many values of known keys were dropped.
    unfit_values: usize,
}

impl Shape<'_, '_> {
    /// `at` is where the table begins.
    fn table(&mut self, table: &mut DeTable<'_>, schema: &'static Value, at: usize) -> bool {
        let mut dropped: Vec<String> = Vec::new();
        for (key, value) in table.iter_mut() {
            let name = key.get_ref().as_ref();
            let fits = match (schema["properties"].get(name), &schema["additionalProperties"]) {
                (Some(schema), _) => {
                    let fits = self.value(value, schema, name);
                    self.unfit_values += usize::from(!fits);
                    fits
                }
                (None, Value::Bool(false)) => {
                    self.unknown_key(name, key.span().start, schema);
                    false
                }
                (None, Value::Null) => true,
                (None, others) => self.value(value, others, name),
            };
            if !fits {
                dropped.push(name.to_owned());
            }
        }
        let is_told = |name: &str| dropped.iter().any(|dropped| dropped == name);
        let mut fits = self.count(table.len(), schema, "minProperties", at);
        for name in words(&schema["required"]) {
            fits &= table.contains_key(name) && !is_told(name);
            if !table.contains_key(name) {
                self.missing(name, schema, at);
            }
        }
        for rule in list(&schema["allOf"]) {
            fits &= self.rule(table, rule, schema, at);
        }
        for name in &dropped {
            table.remove(name.as_str());
        }
        fits
    }

    /// A rule of the form: where a key has this word, those keys are refused, and these must be there.
    fn rule(
        &mut self,
        table: &mut DeTable<'_>,
        rule: &'static Value,
        schema: &'static Value,
        at: usize,
    ) -> bool {
        let applies = |(key, wanted): (&String, &Value)| {
            table.get(key.as_str()).and_then(|value| value.get_ref().as_str()) == wanted["const"].as_str()
        };
        let Some(when) = rule["if"]["properties"].as_object().filter(|when| when.iter().all(applies)) else {
            return true;
        };
        let is = when
            .iter()
            .map(|(key, wanted)| format!("{key} = {}", wanted["const"]))
            .collect::<Vec<_>>()
            .join(", ");
        let refused = rule["then"]["properties"].as_object().into_iter().flatten();
        for (name, _) in refused.filter(|(_, schema)| **schema == Value::Bool(false)) {
            if let Some((key, _)) = table.remove_entry(name.as_str()) {
                let problem = format!("with {is} there is no key {name:?}: leave it out");
                self.report.refuse(key.span().start, problem);
            }
        }
        let mut fits = true;
        for name in words(&rule["then"]["required"]).into_iter().filter(|name| !table.contains_key(*name)) {
            self.missing(name, schema, at);
            fits = false;
        }
        fits
    }

    fn value(&mut self, value: &mut Spanned<DeValue<'_>>, schema: &'static Value, key: &str) -> bool {
        let schema = self.resolved(schema);
        let at = value.span().start;
        let variants = list(&schema["anyOf"]).iter().map(|variant| self.resolved(variant));
        if let Some(variant) = variants.into_iter().find(|variant| takes(variant, value.get_ref())) {
            return self.value(value, variant, key);
        }
        if !takes(schema, value.get_ref()) {
            let expected = self.expected(schema);
            self.report.refuse(at, format!("{key:?} is {}: write {expected}", named(value.get_ref())));
            return false;
        }
        match value.get_mut() {
            DeValue::Table(table) => self.table(table, schema, at),
            DeValue::Array(array) => self.array(array, schema, key, at),
            DeValue::String(text) => self.text(text, schema, key, at),
            DeValue::Integer(number) => {
                let number = i64::from_str_radix(number.as_str(), number.radix()).ok();
                self.within(number, schema, key, at)
            }
            DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => true,
        }
    }

    fn text(&mut self, text: &str, schema: &'static Value, key: &str, at: usize) -> bool {
        let known = alternatives(schema);
        if known.is_empty() {
            return self.count(text.chars().count(), schema, "minLength", at);
        }
        let is_known = known.contains(&text);
        if !is_known {
            let instead = nearest::instead(text, &known);
            self.report.refuse(at, format!("the {key} {text:?} is unknown: {instead}"));
        }
        is_known
    }

    fn array(&mut self, array: &mut DeArray<'_>, schema: &'static Value, key: &str, at: usize) -> bool {
        let fits = self.count(array.len(), schema, "minItems", at);
        let keep = |item: &mut Spanned<DeValue<'_>>| {
            let before = self.unfit_values;
            // A row with a value left out would be another row, and be refused for what nobody wrote.
            self.value(item, &schema["items"], key) && self.unfit_values == before
        };
        let kept: Vec<bool> = array.iter_mut().map(keep).collect();
        let items = std::mem::replace(array, DeArray::new()).into_iter();
        *array = items.zip(kept).filter_map(|(item, fits)| fits.then_some(item)).collect();
        fits
    }

    fn count(&mut self, count: usize, schema: &'static Value, limit: &str, at: usize) -> bool {
        let fits = schema[limit].as_u64().is_none_or(|least| count as u64 >= least);
        if !fits {
            self.report.refuse(at, "nothing stands here: fill it in, or leave out its key");
        }
        fits
    }

    fn within(&mut self, number: Option<i64>, schema: &'static Value, key: &str, at: usize) -> bool {
        let least = schema["minimum"].as_i64().unwrap_or(i64::MIN);
        let most = schema["maximum"].as_i64().unwrap_or(i64::MAX);
        let fits = number.is_some_and(|number| (least..=most).contains(&number));
        if !fits {
            let most = if most == i64::MAX { "on".to_owned() } else { format!("to {most}") };
            self.report.refuse(at, format!("{key:?} can't be this: write a number from {least} {most}"));
        }
        fits
    }

    fn unknown_key(&mut self, name: &str, at: usize, schema: &'static Value) {
        let known: Vec<&str> =
            schema["properties"].as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
        let instead = nearest::instead(name, &known);
        self.report.refuse(at, format!("the key {name:?} is unknown here: {instead}"));
    }

    fn missing(&mut self, name: &str, schema: &'static Value, at: usize) {
        let description = self.described(&schema["properties"][name]);
        self.report.refuse(at, format!("the key {name:?} is missing: add it ({description})"));
    }

    /// The first sentence of what is said of a key.
    fn described(&self, schema: &'static Value) -> String {
        let text = schema["description"]
            .as_str()
            .or(self.resolved(schema)["description"].as_str())
            .unwrap_or_default();
        text.split(['.', '\n']).next().unwrap_or_default().to_owned()
    }

    /// The schema that a reference stands for.
    fn resolved(&self, schema: &'static Value) -> &'static Value {
        let pointer = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
        pointer.and_then(|pointer| self.document.pointer(pointer)).unwrap_or(schema)
    }

    /// What is to be written, in words.
    fn expected(&self, schema: &'static Value) -> String {
        let known = alternatives(schema);
        if !known.is_empty() {
            return format!("one of {}, in quotes", known.join(", "));
        }
        let variants = list(&schema["anyOf"]).iter().map(|variant| self.expected(self.resolved(variant)));
        let types = words(&schema["type"]).into_iter().map(|name| in_words(name).to_owned());
        variants.chain(types).collect::<Vec<_>>().join(", or ")
    }
}

/// Whether a value is of a type that the schema takes.
fn takes(schema: &'static Value, value: &DeValue<'_>) -> bool {
    if !alternatives(schema).is_empty() {
        return value.is_str();
    }
    let types = words(&schema["type"]);
    let named = match value {
        DeValue::String(_) => &["string"][..],
        DeValue::Integer(_) => &["integer", "number"],
        DeValue::Float(_) => &["number"],
        DeValue::Boolean(_) => &["boolean"],
        DeValue::Array(_) => &["array"],
        DeValue::Table(_) => &["object"],
        DeValue::Datetime(_) => &[],
    };
    let is_anything = types.is_empty() && schema["anyOf"].is_null();
    is_anything || named.iter().any(|name| types.contains(name))
}

/// The words of a closed list.
fn alternatives(schema: &'static Value) -> Vec<&'static str> {
    let listed = list(&schema["enum"]).iter().filter_map(Value::as_str);
    let only = schema["const"].as_str();
    let inner = list(&schema["oneOf"]).iter().flat_map(alternatives);
    listed.chain(only).chain(inner).collect()
}

fn list(value: &'static Value) -> &'static [Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A word, or a list of them.
fn words(value: &'static Value) -> Vec<&'static str> {
    value.as_str().into_iter().chain(list(value).iter().filter_map(Value::as_str)).collect()
}

fn in_words(name: &str) -> &str {
    match name {
        "string" => "a text in quotes",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "a table",
        other => other,
    }
}

const fn named(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
        DeValue::Datetime(_) => "a date",
    }
}
