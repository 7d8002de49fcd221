//! What a record's references and users stand for, gathered before the mapping is asked.

use std::collections::BTreeSet;

use mapping::{Lookups, ReferenceNeed};
use model::{ConnectionName, System, SystemPair};
use store::{Check, Links, LinksError, Store};

/// `None` until both systems' users have been read.
pub(crate) async fn gather<S: Store>(
    links: &Links<S>,
    connection: &ConnectionName,
    system: System,
    needs: &BTreeSet<ReferenceNeed>,
) -> Result<Option<(Lookups, Vec<Check>)>, LinksError> {
    let crm = links.people(connection, System::CustomCrm).await?;
    let exact = links.people(connection, System::ExactOnline).await?;
    let (Some(customcrm), Some(exactonline)) = (crm, exact) else { return Ok(None) };
    let mut lookups = Lookups { people: SystemPair { customcrm, exactonline }, ..Lookups::default() };
    let checks = links.look_up_links(connection, system, needs, &mut lookups).await?;
    Ok(Some((lookups, checks)))
}
