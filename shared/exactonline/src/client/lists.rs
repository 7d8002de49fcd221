//! Exact's own lists, from which its records choose codes.

use std::collections::BTreeMap;

use mapping::List;
use store::Store;

use super::ExactOnline;
use crate::{Error, Priority, Resource, odata};

/// What an entry of any list is called by.
const CODE: &str = "Code";

impl<S: Store> ExactOnline<S> {
    /// A whole list: each code's own id. There is no feed of lists, so it is read whole.
    pub async fn list(&self, list: List) -> Result<BTreeMap<String, String>, Error> {
        let path = match list {
            List::PaymentConditions => "cashflow/PaymentConditions",
            List::VatCodes => "vat/VATCodes",
            List::Units => "logistics/Units",
            List::ItemGroups => "logistics/ItemGroups",
        };
        let resource = Resource::unauthored(path, "ID");
        let entries = self.read_list(resource, None, &[CODE], Priority::Read).await?;
        let entry = entries.into_iter().filter_map(|entry| {
            // Some codes come padded with blanks, and no code has any at its ends.
            let code = odata::text(&entry.properties, CODE)?.trim().to_owned();
            Some((code, entry.id.as_str().to_owned()))
        });
        Ok(entry.collect())
    }
}
