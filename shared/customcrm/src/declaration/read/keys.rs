//! Single keys, and what may stand in them.

use files::At;
use model::Content;
use reqwest::header::HeaderName;
use rust_decimal::Decimal;

use super::super::format::Plain;
use super::{Reader, optional};
use crate::{path::Path, template::Template};

impl Reader<'_, '_> {
    /// Refuses a key that says nothing here.
    pub(super) fn only_where(&mut self, key: &str, there: Option<usize>, allowed: bool, what: &str) -> bool {
        match there.filter(|_| !allowed) {
            Some(at) => {
                self.report.refuse(at, format!("{key:?} says nothing with {what}: leave it out"));
                false
            }
            None => true,
        }
    }

    /// A key that is needed here.
    pub(super) fn needed<'k, T>(
        &mut self,
        written: Option<&'k At<T>>,
        key: &str,
        at: usize,
    ) -> Option<&'k At<T>> {
        if written.is_none() {
            self.report.refuse(at, format!("the key {key:?} is missing: add it"));
        }
        written
    }

    pub(super) fn path(&mut self, written: &At<String>) -> Option<Path> {
        let path = Path::parse(written);
        if path.is_none() {
            let problem =
                "this is no path: write the names on the way with dots between them, as in \"meta.version\"";
            self.report.refuse(written.at(), problem);
        }
        path
    }

    #[expect(clippy::option_option, reason = "written or not, right or wrong")]
    pub(super) fn optional_path(&mut self, written: Option<&At<String>>) -> Option<Option<Path>> {
        optional(written.map(|written| self.path(written)))
    }

    pub(super) fn header(&mut self, written: &At<String>) -> Option<String> {
        let name = HeaderName::try_from(written.as_str()).ok();
        if name.is_none() {
            self.report
                .refuse(written.at(), "no header is called so: write its name alone, as in \"X-Api-Key\"");
        }
        name.map(|name| name.to_string())
    }

    pub(super) fn template(
        &mut self,
        written: Option<&At<String>>,
        usual: &str,
        may: &[&'static str],
        must: &[&'static str],
        at: usize,
    ) -> Option<Template> {
        match Template::parse(written.map_or(usual, |written| written.as_str()), may, must) {
            Ok(template) => Some(template),
            Err(problem) => {
                self.report.refuse(written.map_or(at, At::at), problem);
                None
            }
        }
    }

    pub(super) fn plain(&mut self, written: &Plain, at: usize) -> Option<Content> {
        match &written.0 {
            toml::Value::String(text) => Some(Content::Text(text.clone())),
            toml::Value::Boolean(yes) => Some(Content::Boolean(*yes)),
            toml::Value::Integer(number) => Some(Content::Number(Decimal::from(*number))),
            toml::Value::Float(number) => Decimal::try_from(*number).ok().map(Content::Number),
            _ => {
                self.report.refuse(at, "write a text, a number, or true or false");
                None
            }
        }
    }
}
