//! The versions of one document: a newer one takes the place of the older.

use link::{Event, Side};
use mapping::Versions;
use model::{System, Value};
use store::{Store, Stored};

use super::draft::Draft;
use super::seen::as_seen;
use super::{Case, Keeper};
use crate::error::MapperError;

/// What an unlinked record of Exact is among the versions of its document.
pub(super) enum Among {
    /// The newest that is known, or the only one.
    Newest(Draft),
    /// An older one than its document's link has: it says nothing any more.
    Older(Draft),
}

impl<S: Store> Keeper<S> {
    /// Moves the link of an older version to this one, where there is such a link.
    pub(super) async fn among_versions(
        &self,
        mut draft: Draft,
        case: &Case<'_>,
    ) -> Result<Among, MapperError> {
        let exact = System::ExactOnline;
        let Some(side) = draft.link.sides.exactonline.clone() else { return Ok(Among::Newest(draft)) };
        let Some((links, check)) = self.links.versions(&self.connection, &self.pair, &side).await? else {
            return Ok(Among::Newest(draft));
        };
        draft.checks.push(check);
        let mut older: Option<Stored> = None;
        let stored = draft.before.as_ref().map(|stored| &stored.link.id);
        for id in links.iter().filter(|id| Some(*id) != stored) {
            let stored = self.links.find(&self.connection, &self.pair.name, id).await?;
            let Some((stored, known)) = stored.and_then(with_exact) else { continue };
            if self.is_newer(&known, &side) {
                draft.is_dropped = draft.before.is_none();
                return Ok(Among::Older(draft));
            }
            let newest = older.as_ref().and_then(|older| older.link.sides.exactonline.as_ref());
            if self.is_newer(&side, &known) && newest.is_none_or(|newest| self.is_newer(&known, newest)) {
                older = Some(stored);
            }
        }
        let Some(stored) = older else { return Ok(Among::Newest(draft)) };
        let side = as_seen(&draft.link, exact).unwrap_or(side);
        let mut moved = draft.moves_to(Draft::of(stored));
        moved.step(Event::Superseded { system: exact, side }, case);
        Ok(Among::Newest(moved))
    }

    /// Whether a newer version of a document may be there that was not read yet. Who joined the older one would take what
    /// the newer one holds for news, though it was there before.
    pub(super) const fn may_be_an_older_version(&self, case: &Case<'_>) -> bool {
        self.pair.versions.is_some() && !case.released
    }

    /// Whether the one version is greater than the other.
    fn is_newer(&self, one: &Side, other: &Side) -> bool {
        let Some(Versions { version, .. }) = &self.pair.versions else { return false };
        match (one.view.get(version), other.view.get(version)) {
            (Some(Value::Decimal(one)), Some(Value::Decimal(other))) => one > other,
            _ => false,
        }
    }
}

fn with_exact(stored: Stored) -> Option<(Stored, Side)> {
    let side = stored.link.sides.exactonline.clone()?;
    Some((stored, side))
}
