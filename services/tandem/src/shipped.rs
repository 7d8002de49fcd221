//! The pair files and declarations that ship with this program.

use mapping::{Pair, Reading};
use service::{ServiceError, parse_pairs};

/// Each file's name and text.
const FILES: [(&str, &str); 7] = [
    ("customer-account.toml", include_str!("../../../deploy/pairs/customer-account.toml")),
    ("contact-contact.toml", include_str!("../../../deploy/pairs/contact-contact.toml")),
    ("product-item.toml", include_str!("../../../deploy/pairs/product-item.toml")),
    ("quote-quotation.toml", include_str!("../../../deploy/pairs/quote-quotation.toml")),
    ("order-quotation.toml", include_str!("../../../deploy/pairs/order-quotation.toml")),
    ("order-salesorder.toml", include_str!("../../../deploy/pairs/order-salesorder.toml")),
    ("user-quotation.toml", include_str!("../../../deploy/pairs/user-quotation.toml")),
];

/// The declarations of CRMs: what each is like, and its text. The first is that of the default API.
pub(crate) const DECLARATIONS: [(&str, &str); 5] = [
    ("the default API of CustomCRM", include_str!("../../../deploy/customcrm/default.toml")),
    ("json-server", include_str!("../../../deploy/customcrm/json-server.toml")),
    ("PocketBase", include_str!("../../../deploy/customcrm/pocketbase.toml")),
    ("Directus", include_str!("../../../deploy/customcrm/directus.toml")),
    ("EspoCRM", include_str!("../../../deploy/customcrm/espocrm.toml")),
];

/// The seven pairs in one reading, in the order in which their records depend on one another.
pub(crate) fn pairs(reading: Reading) -> Result<Vec<Pair>, ServiceError> {
    let files: Vec<(String, &str)> = FILES.iter().map(|(name, text)| ((*name).to_owned(), *text)).collect();
    parse_pairs(&files, reading)
}
