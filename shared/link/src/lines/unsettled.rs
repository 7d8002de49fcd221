//! Which lines have to be looked at: of a large document mostly one or two.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::iter::Peekable;

use model::{LineKey, PropertyName, System, SystemPair, Value};

use super::Lines;
use crate::Link;

impl Lines<'_> {
    /// The lines of which something may follow. Of the others both sides hold what they have agreed on, and nobody
    /// holds or sends anything of them.
    pub(crate) fn unsettled<'a>(&self, link: &'a Link) -> BTreeSet<&'a LineKey> {
        let (Some(crm), Some(exact)) = (&link.sides.customcrm, &link.sides.exactonline) else {
            return link.lines.keys().collect();
        };
        if link.awaits_lines.customcrm || link.awaits_lines.exactonline {
            return link.lines.keys().collect();
        }
        let lacks =
            |keys: &SystemPair<Option<LineKey>>| keys.customcrm.is_none() || keys.exactonline.is_none();
        let mut open: BTreeSet<&LineKey> =
            link.lines.iter().filter(|(_, keys)| lacks(keys)).map(|(key, _)| key).collect();
        let mut add = |name: &PropertyName| {
            let line = self.split(name).and_then(|(line, _)| LineKey::parse(line).ok());
            open.extend(line.and_then(|line| link.lines.get_key_value(&line)).map(|(key, _)| key));
        };
        link.conflicts.iter().chain(link.turns.keys()).for_each(&mut add);
        let sent = System::BOTH.into_iter().filter_map(|system| link.pending[system].sent());
        sent.flat_map(|sent| sent.keys()).for_each(&mut add);
        self.each_differing(&crm.view, &exact.view, &link.agreed, add);
        open
    }

    /// Goes through what the two sides hold and have agreed on, side by side in the order of the names.
    fn each_differing(
        &self,
        crm: &model::View,
        exact: &model::View,
        agreed: &std::collections::BTreeMap<PropertyName, SystemPair<Value>>,
        mut tell: impl FnMut(&PropertyName),
    ) {
        let (mut crm, mut exact, mut agreed) =
            (crm.iter().peekable(), exact.iter().peekable(), agreed.iter().peekable());
        loop {
            let heads = [head(&mut crm), head(&mut exact), head(&mut agreed)];
            let Some(name) = heads.into_iter().flatten().min() else { return };
            let held = (take(&mut crm, name), take(&mut exact, name), take(&mut agreed, name));
            let is_settled = match held {
                (Some(crm), Some(exact), Some(agreed)) => {
                    *crm == agreed.customcrm && *exact == agreed.exactonline
                }
                (Some(_), Some(_), None) => false,
                // What one side alone shows of a line that both have is only read.
                (crm, exact, _) => (crm.is_none() && exact.is_none()) || !self.is_presence(name),
            };
            if !is_settled {
                tell(name);
            }
        }
    }
}

fn head<'a, T: 'a>(
    names: &mut Peekable<impl Iterator<Item = (&'a PropertyName, T)>>,
) -> Option<&'a PropertyName> {
    names.peek().map(|(name, _)| *name)
}

fn take<'a, T: 'a>(
    names: &mut Peekable<impl Iterator<Item = (&'a PropertyName, T)>>,
    name: &PropertyName,
) -> Option<T> {
    names.next_if(|(next, _)| std::ptr::eq(*next, name) || *next == name).map(|(_, value)| value)
}
