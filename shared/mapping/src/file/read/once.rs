//! Two that write one property would undo one another.

use files::Report;
use model::System;

use super::Rows;
use crate::{Constant, Lens, Lines, Place, Property};

/// Something that writes a property of a system.
struct Writer<'p> {
    path: &'p str,
    place: Place,
    what: &'static str,
    row: Option<&'p Property>,
}

/// Refuses each that writes a property which another writes before it in the file.
pub(super) fn check(
    report: &mut Report<'_>,
    rows: &Rows,
    lines: Option<&Lines>,
    lines_rows: &Rows,
    constants: &[Constant],
) {
    for system in System::BOTH {
        let list = lines.map(|lines| Writer {
            path: &lines.names[system],
            place: lines.place,
            what: "row",
            row: None,
        });
        let constants = constants.iter().filter(|constant| constant.system == system).map(|constant| {
            Writer { path: &constant.name, place: constant.place, what: "constant", row: None }
        });
        once(report, system, of_rows(rows, system).chain(list).chain(constants));
        once(report, system, of_rows(lines_rows, system));
    }
}

fn of_rows(rows: &Rows, system: System) -> impl Iterator<Item = Writer<'_>> {
    rows.all().filter(move |row| row.flow.reaches(system)).flat_map(move |row| {
        let fallbacks = row.fallbacks.iter().filter(move |_| system == System::CustomCrm);
        let paths = row.names[system].iter().chain(fallbacks);
        paths.map(|path| Writer { path, place: row.place, what: "row", row: Some(row) })
    })
}

fn once<'p>(report: &mut Report<'_>, system: System, writers: impl Iterator<Item = Writer<'p>>) {
    let mut writers: Vec<Writer<'p>> = writers.collect();
    writers.sort_by_key(|writer| writer.place);
    for (at, writer) in writers.iter().enumerate() {
        let Some(first) =
            writers[..at].iter().find(|first| first.path == writer.path && !may_share(first, writer, system))
        else {
            continue;
        };
        report.refuse_at(writer.place, format!(
            "the {} in line {} writes {system}'s {:?} already: remove one of them, or let one row only read it",
            first.what, first.place.line, writer.path
        ));
    }
}

/// Whether two rows write different lines of one text of Exact.
fn may_share(first: &Writer<'_>, second: &Writer<'_>, system: System) -> bool {
    match (first.row.map(|row| &row.lens), second.row.map(|row| &row.lens)) {
        (Some(Lens::Labelled { label: first }), Some(Lens::Labelled { label: second })) => {
            system == System::ExactOnline && !first.is_same(second)
        }
        _ => false,
    }
}
