//! What becomes of the lines of a document when they are written.

use std::collections::BTreeSet;
use std::mem;

use super::Records;
use crate::change::{LineChange, Target};
use crate::problem::PropertyError;
use crate::record::{Line, initial};
use crate::schema::{LINE_ID, LINES, Property};

impl Records {
    /// The lines of a document after a change; adds what is wrong with it to the errors of reading it. Lines that the
    /// change does not name stay as they are, and new ones come behind them.
    pub(super) fn lines_after(
        &self,
        properties: &'static [Property],
        mut lines: Vec<Line>,
        changes: Vec<LineChange>,
        errors: &mut Vec<PropertyError>,
    ) -> Vec<Line> {
        let mut sound = errors.iter().all(|error| error.property != LINES);
        let mut named = BTreeSet::new();
        for (position, change) in changes.into_iter().enumerate() {
            let LineChange { target, edits, errors: mut wrong } = change;
            let found = match target {
                Target::Unclear => Ok(()),
                Target::New => {
                    let values = self.values_after(properties, initial(properties), &edits, &mut wrong);
                    lines.push(Line { id: ambient::new_random_id().to_string(), values });
                    Ok(())
                }
                Target::Change(id) => place(&lines, id, &mut named).map(|place| {
                    let values = mem::take(&mut lines[place].values);
                    lines[place].values = self.values_after(properties, values, &edits, &mut wrong);
                }),
                Target::Remove(id) => place(&lines, id, &mut named).map(|place| {
                    lines.remove(place);
                }),
            };
            wrong.extend(found.err());
            sound &= wrong.is_empty();
            errors.extend(wrong.into_iter().map(|error| error.within(&format!("{LINES}[{position}]"))));
        }
        if lines.is_empty() && sound {
            errors.push(PropertyError::new(LINES, "needs at least one line"));
        }
        lines
    }
}

/// Where the line with this id stands. A change may name a line once.
fn place(lines: &[Line], id: String, named: &mut BTreeSet<String>) -> Result<usize, PropertyError> {
    let wrong = |message: &str| PropertyError::new(LINE_ID, message);
    let place = lines.iter().position(|line| line.id == id);
    if !named.insert(id) {
        return Err(wrong("names a line for the second time"));
    }
    place.ok_or_else(|| wrong("names no line of this record: leave it out to add one"))
}
