//! The pair files that ship with this program.

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

/// The seven pairs in one reading, in the order in which their records depend on one another.
pub(crate) fn pairs(reading: Reading) -> Result<Vec<Pair>, ServiceError> {
    let files: Vec<(String, &str)> = FILES.iter().map(|(name, text)| ((*name).to_owned(), *text)).collect();
    parse_pairs(&files, reading)
}
