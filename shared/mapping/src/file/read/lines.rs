//! The lines of a document, and what records are given.

use files::At;
use link::{ConflictPolicy, Flow};
use model::{PropertyName, System, SystemPair};

use super::{Reader, Rows, policy, property_name};
use crate::{
    Constant, Lens, Lines,
    file::format::{self, Direction},
};

impl Reader<'_, '_> {
    /// The lines without their rows, and the rows.
    pub(super) fn lines(
        &mut self,
        written: Option<&At<format::Lines>>,
        conflict: ConflictPolicy,
    ) -> (Option<Lines>, Rows) {
        let Some(written) = written else { return (None, Rows::default()) };
        let conflict = written.conflict.map_or(conflict, policy);
        let rows = self.rows(&written.property, conflict, Some(&written.customcrm));
        let name = self.lines_name(&written.customcrm);
        let prefix = format!("{}.", written.customcrm.as_str());
        let match_by = self.match_by(written, &prefix, &rows);
        let order = written.order.as_ref().and_then(|order| self.order(order, &prefix, &rows));
        let lines = name.map(|name| Lines {
            place: self.report.place(written.at()),
            name,
            names: SystemPair {
                customcrm: written.customcrm.to_string(),
                exactonline: written.exactonline.to_string(),
            },
            edm: written.edm.to_string(),
            ids: SystemPair {
                customcrm: written.id.customcrm.clone(),
                exactonline: written.id.exactonline.clone(),
            },
            flow: match written.direction.as_deref() {
                None | Some(Direction::Both) => Flow::Both,
                Some(Direction::ToExact) => Flow::To(System::ExactOnline),
                Some(Direction::ToCrm) => Flow::To(System::CustomCrm),
            },
            conflict,
            properties: Vec::new(),
            match_by,
            order,
        });
        (lines, rows)
    }

    fn lines_name(&mut self, name: &At<String>) -> Option<PropertyName> {
        if name.contains('.') {
            let problem = format!(
                "lines can't be called {:?}, because a dot begins the name of their rows",
                name.as_str()
            );
            self.report.refuse(name.at(), problem);
            return None;
        }
        property_name(name, name.at(), self.report)
    }

    fn match_by(&mut self, written: &format::Lines, prefix: &str, rows: &Rows) -> Vec<PropertyName> {
        let mut match_by = Vec::new();
        for name in &written.match_by {
            let Some(row) = self.find(name, name.at(), prefix, rows).row() else { continue };
            if self.is_on_both_sides(row, name.at()) {
                match_by.push(row.name.clone());
            }
        }
        match_by
    }

    fn order(&mut self, name: &At<String>, prefix: &str, rows: &Rows) -> Option<PropertyName> {
        let row = self.find(name, name.at(), prefix, rows).row()?;
        if matches!(row.lens, Lens::Integer { .. } | Lens::Decimal { .. }) {
            return Some(row.name.clone());
        }
        self.report.refuse(
            name.at(),
            format!(
                "{:?} is no number, so it tells no line's place: name a row of kind integer",
                name.as_str()
            ),
        );
        None
    }

    /// What records are given in this reading.
    pub(super) fn constants(&mut self, written: &[At<format::Constant>]) -> Vec<Constant> {
        let reading = self.reading;
        let of_this =
            written.iter().filter(|constant| constant.reading.is_none_or(|word| reading == word.into()));
        of_this.filter_map(|constant| self.constant(constant)).collect()
    }

    fn constant(&mut self, written: &At<format::Constant>) -> Option<Constant> {
        let content = self.content(&written.value, written.value.at());
        let (system, name) = match (&written.customcrm, &written.exactonline) {
            (Some(name), None) => (System::CustomCrm, name),
            (None, Some(name)) => (System::ExactOnline, name),
            (Some(_), Some(_)) | (None, None) => {
                let problem = "a constant is a property of one system: write either customcrm or exactonline";
                self.report.refuse(written.at(), problem);
                return None;
            }
        };
        let place = self.report.place(written.at());
        Some(Constant { place, system, name: name.clone(), content: content? })
    }
}
