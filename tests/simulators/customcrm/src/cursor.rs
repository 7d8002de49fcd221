//! Cursors: a place in one listing, opaque to the caller, refused when it is not one of ours.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::collection::{Listing, Place};

/// The cursor that goes on behind `place` in this listing.
pub(crate) fn write(collection: &str, listing: &Listing, place: &Place) -> String {
    let (modified_at, id) = place;
    let seal = seal(collection, listing, place);
    URL_SAFE_NO_PAD.encode(format!("{}.{seal}.{id}", modified_at.as_millisecond()))
}

/// The place that a cursor stands for, if it is a cursor of this listing.
pub(crate) fn read(collection: &str, listing: &Listing, cursor: &str) -> Option<Place> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (milliseconds, rest) = text.split_once('.')?;
    let (given, id) = rest.split_once('.')?;
    let modified_at = Timestamp::from_millisecond(milliseconds.parse().ok()?).ok()?;
    let place = (modified_at, id.to_owned());
    (given == seal(collection, listing, &place)).then_some(place)
}

/// A short digest of what the cursor belongs to. The limit and `updated_since` may differ between pages: the place
/// lies behind `updated_since` already.
fn seal(collection: &str, listing: &Listing, (modified_at, id): &Place) -> String {
    let mut digest = Sha256::new();
    for part in [collection, if listing.deleted_since.is_some() { "all" } else { "live" }] {
        digest.update(part);
        digest.update([0]);
    }
    for (property, value) in &listing.filters {
        digest.update(property);
        digest.update([0]);
        digest.update(value.to_lowercase());
        digest.update([0]);
    }
    digest.update(modified_at.as_millisecond().to_be_bytes());
    digest.update(id);
    URL_SAFE_NO_PAD.encode(&digest.finalize()[..9])
}
