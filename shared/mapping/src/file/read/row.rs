//! One row.

use files::At;
use link::{ConflictPolicy, Flow};
use model::{PropertyName, System, SystemPair};

use super::{Reader, Rows, policy, property_name};
use crate::{
    Lens, Property,
    file::{
        format::{Direction, Row},
        kinds::{self, Kind},
    },
};

impl Reader<'_, '_> {
    /// The rows of this reading. `conflict` is how a conflict is settled where a row does not say; `lines` is what the
    /// lines are called that the rows belong to.
    pub(super) fn rows(
        &mut self,
        written: &[At<Row>],
        conflict: ConflictPolicy,
        lines: Option<&str>,
    ) -> Rows {
        let mut rows = Rows::default();
        let reading = self.reading;
        for row in written.iter().filter(|row| row.reading.is_none_or(|word| reading == word.into())) {
            let Some(property) = self.row(row, conflict, lines) else { continue };
            if let Some(first) = rows.all().find(|other| other.name == property.name) {
                let (name, line) = (property.name.as_str().to_owned(), first.place.line);
                self.report.refuse(
                    row.at(),
                    format!("the row in line {line} is called {name:?} too: give one of them another `name`"),
                );
            } else if self.is_kept(row) {
                rows.properties.push(property);
            } else {
                rows.resting.push(property);
            }
        }
        self.names_are_no_rests(&rows);
        rows
    }

    fn names_are_no_rests(&mut self, rows: &Rows) {
        let is_rest = |row: &&Property| rows.all().any(|other| other.rest.as_ref() == Some(&row.name));
        for row in rows.all().filter(is_rest) {
            let name = row.name.as_str();
            let problem =
                format!("a view holds the rest of Exact's text under {name:?}: give the row another `name`");
            self.report.refuse_at(row.place, problem);
        }
    }

    /// Whether the pair that a row refers to is kept.
    fn is_kept(&mut self, row: &Row) -> bool {
        let Some(pair) = &row.pair else { return true };
        let is_kept = self.kept.iter().any(|kept| kept.as_str() == pair.as_str());
        if !is_kept && !row.optional {
            self.report.refuse(pair.at(), format!(
                "the pair {:?} is not kept by this deployment: add its file, or write `optional = true` so that the row rests without it",
                pair.as_str()
            ));
        }
        is_kept
    }

    fn row(&mut self, row: &At<Row>, conflict: ConflictPolicy, lines: Option<&str>) -> Option<Property> {
        let customcrm = row.customcrm.as_ref().map_or(&[][..], |names| names.names());
        let exactonline = row.exactonline.as_deref();
        let one_sided = customcrm.is_empty() != exactonline.is_none();
        let name = self.row_name(row, lines);
        self.type_is_exacts(row);
        let flow = if one_sided { Some(self.only_read(row)) } else { self.flow(row) };
        let lens = kinds::lens(row, self.report);
        if let (Some(lens), Some(flow)) = (&lens, flow) {
            self.fits(row, lens, flow);
        }
        if let Some(flow) = flow.filter(|_| !one_sided) {
            self.is_written_there(row, flow, lines);
        }
        let is_on = |flag: &Option<At<bool>>| flag.as_ref().is_some_and(|flag| **flag);
        Some(Property {
            place: self.report.place(row.at()),
            name: name?,
            names: SystemPair { customcrm: customcrm.first().cloned(), exactonline: exactonline.cloned() },
            fallbacks: customcrm.get(1..).unwrap_or_default().to_vec(),
            edm: row.edm.as_ref().map(|edm| edm.to_string()).unwrap_or_default(),
            lens: lens?,
            flow: flow?,
            conflict: row.conflict.as_ref().map_or(conflict, |word| policy(**word)),
            required: is_on(&row.required),
            keep_filled: is_on(&row.keep_filled),
            create_only: is_on(&row.create_only),
            written_to: row.written_to.as_ref().map(|word| (**word).into()),
            is_core: row.set.is_some(),
            note: row.note.clone(),
            rest: flow.and_then(|flow| self.rest(row, flow, lines)),
        })
    }

    /// The name of the rest of the text into which the row writes a line.
    fn rest(&mut self, row: &Row, flow: Flow, lines: Option<&str>) -> Option<PropertyName> {
        let writes_line = *row.kind == Kind::Labelled && flow.reaches(System::ExactOnline);
        let text = row.exactonline.as_ref().filter(|_| writes_line)?;
        let prefix = lines.map(|lines| format!("{lines}.")).unwrap_or_default();
        property_name(&format!("{prefix}{} (rest)", text.as_str()), text.at(), self.report)
    }

    fn row_name(&mut self, row: &At<Row>, lines: Option<&str>) -> Option<PropertyName> {
        let customcrm = row.customcrm.as_ref();
        let own = row.name.as_ref().map(|name| (name.as_str(), name.at()));
        let own = own.or_else(|| Some((customcrm?.names().first()?.as_str(), customcrm?.at())));
        let own = own.or_else(|| row.exactonline.as_ref().map(|name| (name.as_str(), name.at())));
        let Some((own, at)) = own.filter(|_| customcrm.is_some() || row.exactonline.is_some()) else {
            self.report.refuse(row.at(), "the row ties nothing: write customcrm, exactonline, or both");
            return None;
        };
        let name = lines.map_or_else(|| own.to_owned(), |lines| format!("{lines}.{own}"));
        property_name(&name, at, self.report)
    }

    fn type_is_exacts(&mut self, row: &At<Row>) {
        match (&row.exactonline, &row.edm) {
            (Some(name), None) => {
                let problem = format!(
                    "the type of {:?} is missing: add edm, as Exact's reference has it",
                    name.as_str()
                );
                self.report.refuse(row.at(), problem);
            }
            (None, Some(edm)) => {
                self.report
                    .refuse(edm.at(), "the row has no property of Exact, so it has no type: leave edm out");
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
    }

    /// A row with a property on one side only flows nowhere, and has no key that says how.
    fn only_read(&mut self, row: &At<Row>) -> Flow {
        let flags = [
            ("direction", row.direction.as_ref().map(At::at)),
            ("follow", row.follow.as_ref().map(At::at)),
            ("conflict", row.conflict.as_ref().map(At::at)),
            ("required", row.required.as_ref().map(At::at)),
            ("keep_filled", row.keep_filled.as_ref().map(At::at)),
            ("create_only", row.create_only.as_ref().map(At::at)),
            ("written_to", row.written_to.as_ref().map(At::at)),
        ];
        for (key, at) in flags.into_iter().filter_map(|(key, at)| Some((key, at?))) {
            self.report
                .refuse(at, format!("a row with a property on one side only is only read: leave {key} out"));
        }
        Flow::To(if row.customcrm.is_none() { System::CustomCrm } else { System::ExactOnline })
    }

    fn flow(&mut self, row: &At<Row>) -> Option<Flow> {
        let direction = row.direction.as_ref().map_or(Direction::Both, |word| **word);
        let follows = row.follow.as_ref().filter(|follow| ***follow);
        let flow = match (direction, follows) {
            (Direction::ToCrm, Some(_)) => Flow::Follow(System::CustomCrm),
            (Direction::Both | Direction::ToExact, Some(follow)) => {
                self.report.refuse(
                    follow.at(),
                    "only what flows to the CRM can follow: write direction = \"to-crm\" too",
                );
                return None;
            }
            (Direction::Both, None) => Flow::Both,
            (Direction::ToExact, None) => Flow::To(System::ExactOnline),
            (Direction::ToCrm, None) => Flow::To(System::CustomCrm),
        };
        if let Some(create_only) =
            row.create_only.as_ref().filter(|only| ***only && !flow.reaches(System::ExactOnline))
        {
            self.report.refuse(
                create_only.at(),
                "the row never reaches Exact, so no record is created with it: leave create_only out",
            );
        }
        Some(flow)
    }

    /// A row that names where it is written must write, and only a record has others beside it.
    fn is_written_there(&mut self, row: &Row, flow: Flow, lines: Option<&str>) {
        let Some(written_to) = &row.written_to else { return };
        if lines.is_some() {
            let problem = "a line is written as it is and has no record beside it: leave written_to out";
            self.report.refuse(written_to.at(), problem);
        } else if !flow.reaches(System::ExactOnline) {
            let problem = "the row never reaches Exact, so nothing is written there: leave direction = \"to-crm\" out, \
                           or written_to";
            self.report.refuse(written_to.at(), problem);
        }
    }

    fn fits(&mut self, row: &At<Row>, lens: &Lens, flow: Flow) {
        // An id that is never written back is a text to the CRM.
        let is_shown = |edm: &str| {
            edm == "Edm.Guid" && matches!(lens, Lens::Text { .. }) && !flow.reaches(System::ExactOnline)
        };
        let fits = |edm: &str| lens.edm_types().contains(&edm) || is_shown(edm);
        if let Some(edm) = row.edm.as_ref().filter(|edm| !fits(edm)) {
            let (kind, types) = (row.kind.name(), lens.edm_types().join(" or "));
            self.report.refuse(
                edm.at(),
                format!("{} can't hold a property of kind {kind:?}: it needs {types}", edm.as_str()),
            );
        }
        let Lens::Enum { words } = lens else { return };
        let not_one = words.rows().iter().filter(|(_, exact)| exact.len() != 1);
        for (word, exact) in not_one.filter(|_| flow.reaches(System::ExactOnline)) {
            let at = row.words.as_ref().and_then(|words| words.get(word)).map_or(row.at(), At::at);
            let problem = if exact.is_empty() {
                format!(
                    "{word:?} stands for no word of Exact, and could not be written: name one, or write direction = \"to-crm\""
                )
            } else {
                format!(
                    "{word:?} stands for several words of Exact, and only one could be written: name one, or write direction = \"to-crm\""
                )
            };
            self.report.refuse(at, problem);
        }
    }
}
