//! What the file says of the pair as a whole, by the names of its rows.

use files::At;
use jiff::civil::date;
use model::{PairName, PropertyName, System, Value};

use super::{Reader, Rows, names::Found, property_name, value};
use crate::{
    Archive, KeyRows, Lens, Lookups, Mark, OnDelete, Property, Raise, StandIn, Through, Versions,
    file::format::{self, File, OneOrMany},
    file::kinds::named,
};

/// What the value of an archive says for a date.
const YESTERDAY: &str = "yesterday";

impl Reader<'_, '_> {
    pub(super) fn match_keys(&mut self, written: &[At<OneOrMany>], rows: &Rows) -> Vec<KeyRows> {
        written.iter().filter_map(|key| self.match_key(key, rows)).collect()
    }

    /// A key without one of its rows is none: what it finds could be another record.
    fn match_key(&mut self, key: &At<OneOrMany>, rows: &Rows) -> Option<KeyRows> {
        let mut names = Vec::new();
        for name in key.names() {
            let row = self.find(name, key.at(), "", rows).row();
            names.push(row.filter(|row| self.is_on_both_sides(row, key.at())).map(|row| row.name.clone()));
        }
        names.into_iter().collect::<Option<Vec<_>>>().map(KeyRows)
    }

    /// Whether a row can be read on both sides; told where it can't.
    pub(super) fn is_on_both_sides(&mut self, row: &Property, at: usize) -> bool {
        let missing = System::BOTH.into_iter().find(|system| row.names[*system].is_none());
        if let Some(missing) = missing {
            self.report.refuse(at, format!(
                "{:?} has no property of {missing}, so nothing can be compared by it: name a row that both have",
                row.name.as_str()
            ));
        }
        missing.is_none()
    }

    pub(super) fn search_own(&mut self, name: &At<String>, rows: &Rows) -> Option<PropertyName> {
        match self.find(name, name.at(), "", rows) {
            Found::Row(row) => Some(row.name.clone()),
            Found::Rests => {
                let problem =
                    format!("{:?} rests, so nothing is found by it: name another row", name.as_str());
                self.report.refuse(name.at(), problem);
                None
            }
            Found::Told => None,
        }
    }

    pub(super) fn yields_to(&mut self, written: &[At<String>], own: Option<&PairName>) -> Vec<PairName> {
        let mut pairs = Vec::new();
        for name in written {
            let Some(pair) = named(name, PairName::parse, self.report) else { continue };
            if Some(&pair) == own {
                self.report.refuse(name.at(), "a pair can't yield to itself: leave it out");
            } else if self.kept.contains(&pair) {
                pairs.push(pair);
            }
        }
        pairs
    }

    /// Another pair's link; `None` where that pair is not kept.
    pub(super) fn through(
        &mut self,
        written: &At<format::Through>,
        own: Option<&PairName>,
    ) -> Option<Through> {
        let pair = named(&written.pair, PairName::parse, self.report)?;
        let is_kept = self.kept.contains(&pair);
        if Some(&pair) == own {
            self.report
                .refuse(written.pair.at(), "this is the pair itself: name the pair of the other record");
        } else if !is_kept && !written.optional {
            self.report.refuse(written.pair.at(), format!(
                "the pair {:?} is not kept by this deployment: add its file, or write `optional = true` beside it",
                pair.as_str()
            ));
        }
        let place = self.report.place(written.at());
        is_kept.then(|| Through { place, reference: written.reference.clone(), pair })
    }

    pub(super) fn stand_in(
        &mut self,
        written: &At<format::StandIn>,
        rows: &Rows,
        own: Option<&PairName>,
    ) -> Option<StandIn> {
        let inherits = written.through.as_ref().and_then(|through| self.through(through, own));
        let property = &written.property;
        let row = self.find(property, property.at(), "", rows).row()?;
        let text = Value::StandIn("1".to_owned());
        let takes_texts = row.lens.put(System::ExactOnline, &text, &some_day()).is_ok();
        if !takes_texts || !row.flow.reaches(System::ExactOnline) {
            self.report.refuse(property.at(), format!(
                "{:?} can't hold a number or name of the CRM in Exact: name a row of kind text or code that flows there",
                property.as_str()
            ));
        }
        Some(StandIn { property: row.name.clone(), from: written.from.clone(), inherits })
    }

    pub(super) fn raise(&mut self, written: &At<format::Raise>, rows: &Rows) -> Option<Raise> {
        let property = property_name(&written.property, written.property.at(), self.report);
        let reference = &written.reference;
        let row = self.find(reference, reference.at(), "", rows).row()?;
        if !matches!(row.lens, Lens::Reference { .. }) {
            self.report.refuse(
                reference.at(),
                format!(
                    "{:?} refers to no record, so there is nothing to raise: name a row of kind reference",
                    reference.as_str()
                ),
            );
        }
        let place = self.report.place(written.at());
        Some(Raise { place, reference: row.name.clone(), property: property?, value: value(&written.value) })
    }

    pub(super) fn versions(&mut self, written: &At<format::Versions>, rows: &Rows) -> Option<Versions> {
        let number = self.of_exact(&written.number, rows);
        let version = self.of_exact(&written.version, rows);
        if let Some(row) =
            version.filter(|row| !matches!(row.lens, Lens::Integer { .. } | Lens::Decimal { .. }))
        {
            let problem = format!(
                "{:?} is no number, so no version is greater: name a row of kind integer",
                row.name.as_str()
            );
            self.report.refuse(written.version.at(), problem);
        }
        Some(Versions { number: number?.name.clone(), version: version?.name.clone() })
    }

    fn of_exact<'p>(&mut self, name: &At<String>, rows: &'p Rows) -> Option<&'p Property> {
        let row = self.find(name, name.at(), "", rows).row()?;
        if row.names.exactonline.is_none() {
            self.report.refuse(
                name.at(),
                format!("{:?} has no property of Exact: name a row that has", name.as_str()),
            );
        }
        Some(row)
    }

    pub(super) fn on_delete(
        &mut self,
        system: System,
        archive: Option<&At<format::Archive>>,
        delete: Option<&At<format::Delete>>,
        rows: &Rows,
    ) -> Option<OnDelete> {
        match (archive, delete.map(|delete| **delete)) {
            (Some(archive), None) => self.archive(system, archive, rows).map(OnDelete::Archive),
            (None, Some(format::Delete::Propagate)) => Some(OnDelete::Propagate),
            (None, Some(format::Delete::Ignore)) => Some(OnDelete::Ignore),
            (None, Some(format::Delete::Unlink) | None) => Some(OnDelete::Unlink),
            (Some(archive), Some(_)) => {
                let problem =
                    "a record that is archived is not deleted or left as well: write archive or delete";
                self.report.refuse(archive.at(), problem);
                None
            }
        }
    }

    fn archive(&mut self, system: System, written: &At<format::Archive>, rows: &Rows) -> Option<Archive> {
        let property = &written.property;
        let row = self.find(property, property.at(), "", rows).row()?;
        let mark = match (&row.lens, value(&written.value)) {
            (Lens::Date, Value::Text(text)) if text == YESTERDAY => Mark::Yesterday,
            (_, value) => Mark::Value(value),
        };
        if !row.flow.reaches(system) {
            let problem = format!("{:?} does not flow to {system}: name a row that does", property.as_str());
            self.report.refuse(property.at(), problem);
        } else if let Mark::Value(value) = &mark
            && let Err(problem) = row.lens.put(system, value, &some_day())
        {
            let problem =
                format!("{:?} can't be given this value: with it the row {problem}", property.as_str());
            self.report.refuse(written.value.at(), problem);
        }
        Some(Archive { property: row.name.clone(), mark })
    }

    /// A pair that tells only whose records are whose makes none.
    pub(super) fn writes_nothing(&mut self, file: &File) {
        for create in [&file.customcrm.create, &file.exactonline.create] {
            if **create {
                self.report.refuse(
                    create.at(),
                    "with membership = true the pair makes no records: write create = false",
                );
            }
        }
    }
}

/// What a value is tried with: nothing is known but that it is some day.
fn some_day() -> Lookups {
    Lookups { today: date(2000, 1, 1), ..Lookups::default() }
}
