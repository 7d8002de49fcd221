//! The checks of a pair that only tells whose quotations are whose.

use std::time::{Duration, Instant};

use mapping::Pair;
use model::{Content, Properties, PropertyName, RecordId, Reference, System, Value, View};
use store::Store;
use tokio::time::sleep;

use super::ChecklistError;
use super::plan::Aspect;
use super::report::Verdict;
use super::stage::{Stage, cell};

/// How long a change may take to show.
const SHOWS_WITHIN: Duration = Duration::from_secs(20);

impl<S: Store> Stage<S> {
    /// One check of a membership pair, on the link of this quotation.
    pub(crate) async fn membership(
        &self,
        pair: &Pair,
        aspect: Aspect,
        quotation: &RecordId,
        turn: usize,
    ) -> Result<Verdict, ChecklistError> {
        let Some(owner) = self.owner(pair, quotation).await? else {
            return Ok(Verdict::Red("the quotation has no user".to_owned()));
        };
        match aspect {
            Aspect::Flows(System::CustomCrm) => self.moves(pair, quotation, &owner, Mover::SalesPerson).await,
            Aspect::Flows(System::ExactOnline) => {
                self.moves(pair, quotation, &owner, Mover::QuoteOwner).await
            }
            Aspect::Shows => self.shows_name(pair, quotation, &owner).await,
            Aspect::StaysIn(_) => self.name_stays(pair, quotation, &owner, turn).await,
            Aspect::Made(_) | Aspect::Held => Ok(Verdict::Green),
        }
    }

    /// The user of a quotation, as the link says.
    async fn owner(&self, pair: &Pair, quotation: &RecordId) -> Result<Option<RecordId>, ChecklistError> {
        let link = self.linked(pair, System::ExactOnline, quotation).await?;
        Ok(link.and_then(|link| link.record(System::CustomCrm).cloned()))
    }

    /// A change of the owner moves the quotation to the other user, and back.
    async fn moves(
        &self,
        pair: &Pair,
        quotation: &RecordId,
        owner: &RecordId,
        mover: Mover,
    ) -> Result<Verdict, ChecklistError> {
        let lookups = self.lookups().await?;
        let known: Vec<&String> = lookups.people.exactonline.values().collect();
        let users = lookups.people.customcrm.iter().filter(|(_, email)| known.contains(email));
        let other = users.clone().find(|(user, _)| user.as_str() != owner.as_str());
        let own = users.clone().find(|(user, _)| user.as_str() == owner.as_str());
        let (Some((other, other_email)), Some((own, own_email))) = (other, own) else {
            return Ok(Verdict::Skipped("both systems know fewer than two people".to_owned()));
        };
        for (user, email) in [(other, other_email), (own, own_email)] {
            self.give(pair, quotation, email, mover).await?;
            let began = Instant::now();
            while self.owner(pair, quotation).await?.is_none_or(|now| now.as_str() != user.as_str()) {
                if began.elapsed() > SHOWS_WITHIN {
                    return Ok(Verdict::Red("the quotation did not move to the other user".to_owned()));
                }
                sleep(Duration::from_millis(100)).await;
            }
        }
        Ok(Verdict::Green)
    }

    async fn give(
        &self,
        pair: &Pair,
        quotation: &RecordId,
        email: &str,
        mover: Mover,
    ) -> Result<(), ChecklistError> {
        let person = Value::Reference(Reference::Person(email.to_owned()));
        let (pair, system, row) = match mover {
            Mover::SalesPerson => (pair, System::ExactOnline, "Id"),
            Mover::QuoteOwner => {
                let quotes = self.pairs.iter().find(|pair| pair.entities.customcrm.as_str() == "quotes");
                let none = || ChecklistError::Stage("no pair keeps quotes".to_owned());
                (quotes.ok_or_else(none)?, System::CustomCrm, "OwnerId")
            }
        };
        let none = || ChecklistError::Stage("the quotation is not linked".to_owned());
        let link = self.linked(pair, System::ExactOnline, quotation).await?.ok_or_else(none)?;
        self.edit(pair, system, &link, &View::from([(name(row)?, person)])).await
    }

    /// The sales person's name in Exact is that of the user.
    async fn shows_name(
        &self,
        pair: &Pair,
        quotation: &RecordId,
        owner: &RecordId,
    ) -> Result<Verdict, ChecklistError> {
        let user = self.sides.read(pair, System::CustomCrm, owner).await?;
        let link = self.linked(pair, System::ExactOnline, quotation).await?;
        let known = link.as_ref().and_then(|link| link.sides.exactonline.as_ref());
        let shown = known
            .map_or(Value::Empty, |side| name("FullName").map_or(Value::Empty, |row| cell(&side.view, &row)));
        let full_name = user.get("FullName").and_then(Content::as_text).unwrap_or_default();
        Ok(if shown == Value::Text(full_name.to_owned()) {
            Verdict::Green
        } else {
            Verdict::Red(format!("the user is called \"{full_name}\", the link shows \"{shown}\""))
        })
    }

    /// A user's own name in the CRM is nobody else's business.
    async fn name_stays(
        &self,
        pair: &Pair,
        quotation: &RecordId,
        owner: &RecordId,
        turn: usize,
    ) -> Result<Verdict, ChecklistError> {
        let read =
            |properties: &Properties, name: &str| properties.get(name).cloned().unwrap_or(Content::Null);
        let exact = System::ExactOnline;
        let shown = read(&self.sides.read(pair, exact, quotation).await?, "SalesPersonFullName");
        let before = read(&self.sides.read(pair, System::CustomCrm, owner).await?, "FullName");
        for text in [Content::Text(format!("Checked {turn}")), before] {
            let put = mapping::Put {
                properties: Properties::from([("FullName".to_owned(), text.clone())]),
                ..mapping::Put::default()
            };
            self.sides.change(pair, System::CustomCrm, owner, &put).await?;
            sleep(Duration::from_millis(700)).await;
            if read(&self.sides.read(pair, exact, quotation).await?, "SalesPersonFullName") != shown {
                return Ok(Verdict::Red("the name was carried to Exact".to_owned()));
            }
            if read(&self.sides.read(pair, System::CustomCrm, owner).await?, "FullName") != text {
                return Ok(Verdict::Red("the user's own name was written over".to_owned()));
            }
        }
        Ok(Verdict::Green)
    }
}

/// Where the owner is changed.
#[derive(Debug, Clone, Copy)]
enum Mover {
    /// On the quotation in Exact.
    SalesPerson,
    /// On the quote in the CRM, whose own pair carries it.
    QuoteOwner,
}

fn name(row: &str) -> Result<PropertyName, ChecklistError> {
    PropertyName::parse(row).map_err(|error| ChecklistError::Stage(error.to_string()))
}
