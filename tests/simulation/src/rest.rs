//! After all is well again: rest, the judgement, and the story of what does not hold.

use std::time::Duration;

use contract::{Names, RetryTier};
use people::{Breach, Sight, doubled};
use tokio::time::{Instant, sleep};

use crate::run::{Company, NAMESPACE, World};
use crate::scenario::Event;
use ::broker::Broker as _;

/// How often it is looked.
const LOOKS_EVERY: Duration = Duration::from_secs(30);
/// The longest that it may take to come to rest, in virtual time: a new numbering is noticed after eight hours, and
/// everything is read again then at Exact's own limits, with retries of five minutes.
const RESTS_WITHIN: Duration = Duration::from_hours(20);
/// What does not hold for so long at rest never will.
const STAYS_SO: Duration = Duration::from_mins(30);
/// What Exact has deleted is read with every tenth poll, and where nobody changes anything polls are four times as far apart.
const POLLS_PER_DELETED: u32 = 44;
/// That Exact has numbered everything anew is looked for every eight hours only, where no write shows it.
const NOTICED_WITHIN: Duration = Duration::from_hours(9);
/// The most writes that may follow from one edit, on the average: one to the other side, and one back of what that side
/// makes of it, such as numbers and totals.
const WRITES_PER_EDIT_MAX: f64 = 2.0;
/// Of so many broken promises the story is told, and of each so many lines.
const STORIES: (usize, usize) = (3, 80);

impl World {
    /// Waits until nothing waits or is written any more and everything holds, or until that is as it will stay. Gives how
    /// long it took, and what does not hold.
    pub(crate) async fn rest(&mut self) -> (Duration, Vec<String>) {
        let began = Instant::now();
        // Two polls and more.
        let quiet = (self.scenario.crm_poll + self.scenario.exact_poll) * 2 + Duration::from_mins(1);
        let mut last = (u64::MAX, began);
        let mut broken: (Vec<String>, Instant) = (Vec::new(), began);
        loop {
            sleep(LOOKS_EVERY).await;
            self.look().await;
            let writes = self.companies.iter().map(|company| company.site.writes()).sum();
            if last.0 != writes {
                last = (writes, Instant::now());
            }
            let waits = self.waits().await;
            let is_late = began.elapsed() > RESTS_WITHIN;
            if !is_late && (waits.is_some() || last.1.elapsed() < quiet) {
                continue;
            }
            let mut breaches = self.breaches().await;
            if let Some(waits) = waits {
                breaches.insert(0, (0, Breach::of(format!("never at rest: {waits}"))));
            }
            if breaches.is_empty() {
                return (last.1.duration_since(began), self.judged(writes).await);
            }
            let told: Vec<String> = breaches.iter().map(|(_, breach)| breach.what.clone()).collect();
            if told != broken.0 {
                broken = (told, Instant::now());
            }
            if is_late || broken.1.elapsed() > self.stays_so() {
                return (last.1.duration_since(began), self.stories(breaches).await);
            }
        }
    }

    /// How long something must not hold at rest until it counts as what never will.
    fn stays_so(&self) -> Duration {
        let is_renumbered = self.scenario.events.contains_key(&Event::Renumbered);
        let noticed = if is_renumbered { NOTICED_WITHIN } else { Duration::ZERO };
        noticed.max(self.scenario.exact_poll * POLLS_PER_DELETED + STAYS_SO)
    }

    /// What still waits, if anything does.
    async fn waits(&self) -> Option<String> {
        let topology = service::topology(NAMESPACE, &self.pairs);
        let resting = RetryTier::ALL.map(|tier| topology.names.retry(tier));
        for queue in topology.work_queues.iter().chain(&resting) {
            match self.broker.depth(queue).await {
                Ok(0) => {}
                Ok(depth) => return Some(format!("{depth} messages in {queue}")),
                Err(error) => return Some(error.to_string()),
            }
        }
        let links = self.links();
        for company in &self.companies {
            for pair in &self.pairs {
                match links.pending(&company.site.connection, &pair.name).await {
                    Ok(pending) if pending.is_empty() => {}
                    Ok(pending) => return Some(format!("{}: {pending:?}", pair.name)),
                    Err(error) => return Some(error.to_string()),
                }
            }
        }
        None
    }

    /// Everything that does not hold, and of which company.
    async fn breaches(&mut self) -> Vec<(usize, Breach)> {
        let links = self.links();
        let mut found = Vec::new();
        for (number, company) in self.companies.iter_mut().enumerate() {
            let Company { site, sides, people, .. } = company;
            let sight = Sight::of(sides, &self.pairs, &links, &site.connection).await.unwrap();
            let mut breaches = doubled(sides);
            breaches.extend(sight.disagreements(&self.pairs));
            breaches.extend(people.losses(sides, &sight));
            found.extend(breaches.into_iter().map(|breach| (number, breach)));
        }
        found.extend(self.fleet.wrongs.iter().map(|wrong| (0, Breach::of(wrong))));
        found
    }

    /// At rest: nothing was set aside, nobody asked too much, and no more was written than needed.
    async fn judged(&self, writes: u64) -> Vec<String> {
        let mut broken = Vec::new();
        let dead = self.broker.depth(&Names::new(NAMESPACE).dead_letters()).await.unwrap_or_default();
        if dead > 0 {
            broken.push(format!("{dead} messages are dead letters"));
        }
        let edits: u32 = self.companies.iter().map(|company| company.people.ledger.edits()).sum();
        let flushed = self.scenario.events.contains_key(&Event::Flush);
        #[expect(clippy::cast_precision_loss, reason = "some hundred writes")]
        let per_edit = writes as f64 / f64::from(edits.max(1));
        if per_edit > WRITES_PER_EDIT_MAX && !flushed {
            broken.push(format!("{writes} writes followed from {edits} edits"));
        }
        let promises = self.fleet.broken_promises();
        if !promises.is_empty() {
            broken.push(format!("links broke promises: {promises}"));
        }
        broken
    }

    async fn stories(&self, breaches: Vec<(usize, Breach)>) -> Vec<String> {
        let mut told = Vec::new();
        for (at, (number, breach)) in breaches.into_iter().enumerate() {
            let thing = breach.thing.as_ref().map(|thing| format!("{thing}: ")).unwrap_or_default();
            let mut lines = vec![format!("{thing}{}", breach.what)];
            if at < STORIES.0 {
                lines.extend(self.story(&self.companies[number], &breach).await);
            }
            told.push(lines.join("\n"));
        }
        told
    }

    async fn story(&self, company: &Company, breach: &Breach) -> Vec<String> {
        let mut text = Vec::new();
        if let Some(story) = breach.thing.as_ref().and_then(|thing| company.people.ledger.things.get(thing)) {
            text.push("  what people did:".to_owned());
            text.extend(
                story.told.iter().map(|(at, told)| format!("    {:7.1} s  {told}", at.as_secs_f64())),
            );
        }
        let (links, connection) = (self.links(), &company.site.connection);
        let mut about = breach.about.clone();
        for (pair, link) in &breach.links {
            about.push(link.to_string());
            text.push(format!("  {pair} {link}:"));
            let lines = links.history(connection, pair, link, 60).await.unwrap_or_default();
            text.extend(lines.iter().rev().map(|line| format!("    {line}")));
        }
        about.sort();
        about.dedup();
        text.push("  what happened:".to_owned());
        text.extend(self.trace.about(&about, STORIES.1).into_iter().map(|line| format!("    {line}")));
        text
    }
}
