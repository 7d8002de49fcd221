//! After the storm: rest, the judgement, and the story of what does not hold.

use std::time::{Duration, Instant};

use people::{Breach, Sight, doubled};

use super::{Storm, Told};

/// How long nothing may be written, and nothing wait, before all counts as at rest.
const REST: Duration = Duration::from_secs(3);
/// After rest nothing is written for so long: many polls.
const QUIET: Duration = Duration::from_secs(4);
/// How often it is told what is waited for.
const TELLS_EVERY: Duration = Duration::from_secs(15);
/// What does not hold for so long after rest never will.
const STAYS_SO: Duration = Duration::from_secs(40);
/// Of so many broken promises the story is told.
const STORIES: usize = 6;
/// Of a log so many lines.
const LOG_LINES: usize = 60;
/// The most writes that may follow from one edit, on the average and retries among them: one to the other side, and one
/// back of what that side makes of it, such as numbers and totals.
const WRITES_PER_EDIT_MAX: f64 = 2.0;

impl Storm {
    #[expect(clippy::print_stdout, reason = "who waits for minutes wants to know for what")]
    /// Waits until nothing waits or is written any more and everything holds, or until that is as it will stay; gives
    /// how long it took.
    pub(super) async fn rest(&mut self) -> Duration {
        let began = Instant::now();
        let mut last = (u64::MAX, Instant::now());
        let mut broken: (Vec<String>, Instant) = (Vec::new(), Instant::now());
        let mut told_at = Instant::now();
        loop {
            tokio::time::sleep(Duration::from_millis(500)).await;
            self.fleet.look().await;
            self.see_what_is_agreed().await;
            let writes = self.world.writes();
            if last.0 != writes {
                last = (writes, Instant::now());
            }
            let waits = self.waits().await;
            if told_at.elapsed() > TELLS_EVERY {
                told_at = Instant::now();
                println!(
                    "{:5.0} s: {writes} writes; waits for: {waits:?}",
                    self.began.elapsed().as_secs_f64()
                );
            }
            let is_quiet = last.1.elapsed() > REST && waits.is_none();
            let is_late = began.elapsed() > self.script.rests_within;
            if !is_quiet && !is_late {
                continue;
            }
            let mut breaches = self.breaches().await;
            if is_late && let Some(waits) = waits {
                breaches.insert(0, Breach::of(format!("never at rest: {waits}")));
            }
            let told: Vec<String> = breaches.iter().map(|breach| breach.what.clone()).collect();
            if told != broken.0 {
                broken = (told, Instant::now());
            }
            if breaches.is_empty() {
                return last.1.duration_since(began);
            }
            if is_late || broken.1.elapsed() > STAYS_SO {
                self.panic_with(breaches).await;
            }
        }
    }

    /// What still waits, if anything does.
    async fn waits(&self) -> Option<String> {
        match self.world.queues().depths().await {
            Ok(depths) if depths.waiting.is_empty() => {}
            Ok(depths) => return Some(format!("{:?}", depths.waiting)),
            Err(error) => return Some(error.to_string()),
        }
        for pair in &self.pairs {
            match self.links.pending(&self.connection, &pair.name).await {
                Ok(pending) if pending.is_empty() => {}
                Ok(pending) => return Some(format!("{}: {pending:?}", pair.name)),
                Err(error) => return Some(error.to_string()),
            }
        }
        None
    }

    /// Everything that does not hold.
    async fn breaches(&mut self) -> Vec<Breach> {
        let sides = &self.sides;
        let sight = Sight::of(sides, &self.pairs, &self.links, &self.connection).await.unwrap();
        let mut breaches = doubled(sides);
        breaches.extend(sight.disagreements(&self.pairs));
        breaches.extend(self.people.losses(sides, &sight));
        breaches.extend(self.fleet.wrongs.iter().map(Breach::of));
        breaches
    }

    /// What was refused because we asked too much, or with a token that we had no right to use any more.
    fn misbehaviour(&self) -> Vec<Breach> {
        let site = self.world.site();
        let mut found = Vec::new();
        let crm = site.crm.control().log().iter().filter(|call| call.status == 429).count();
        let exact_log = site.exact.control().log();
        let exact = exact_log.iter().filter(|call| call.status == 429).count();
        for (name, refused, asked_for) in
            [("the CRM", crm, self.throttles.customcrm), ("Exact", exact, self.throttles.exactonline)]
        {
            if refused > usize::try_from(asked_for).unwrap() {
                let words =
                    format!("{name} answered 429 {refused} times, {asked_for} of them were asked for");
                found.push(Breach::of(words));
            }
        }
        let counts = site.exact.control().counts();
        if counts.token_calls_at_once > 1 {
            found.push(Breach::of(format!("{} refreshed the grant at once", counts.token_calls_at_once)));
        }
        let refused =
            exact_log.iter().filter(|call| call.path.contains("oauth2/token") && call.status != 200);
        let refused: Vec<String> = refused.map(|call| format!("{} at {}", call.status, call.at)).collect();
        if !refused.is_empty() {
            found.push(Breach::of(format!("refreshes were refused: {refused:?}")));
        }
        found
    }

    /// At rest: nothing more is written, nothing was set aside, nobody asked too much; then everything ends.
    pub(super) async fn judge(mut self, settled: Duration) -> Told {
        let writes = self.world.writes();
        tokio::time::sleep(QUIET).await;
        let mut breaches = self.misbehaviour();
        if self.world.writes() != writes {
            breaches.push(Breach::of("something was written after rest, though nobody edited"));
        }
        let depths = self.world.queues().depths().await.unwrap();
        if depths.dead > 0 {
            breaches.push(Breach::of(format!("{} messages are dead letters", depths.dead)));
        }
        let edits = self.people.ledger.edits();
        let told = Told::of(&self, settled, writes);
        if told.writes_per_edit() > WRITES_PER_EDIT_MAX {
            breaches.push(Breach::of(format!("{writes} writes followed from {edits} edits")));
        }
        self.fleet.look().await;
        breaches.extend(self.breaches().await);
        if !breaches.is_empty() {
            self.panic_with(breaches).await;
        }
        self.fleet.end(Duration::from_secs(25));
        told
    }

    /// Tells what does not hold, with the story of each thing that it is about.
    async fn panic_with(&self, breaches: Vec<Breach>) -> ! {
        let mut text = vec![format!("seed {}: {} promises are broken", self.script.seed, breaches.len())];
        for (at, breach) in breaches.iter().enumerate() {
            let thing = breach.thing.as_ref().map(|thing| format!("{thing}: ")).unwrap_or_default();
            text.push(format!("\n== {thing}{}", breach.what));
            if at < STORIES {
                text.extend(self.story(breach).await);
            }
        }
        text.push(Told::of(self, Duration::ZERO, self.world.writes()).to_string());
        panic!("{}", text.join("\n"));
    }

    async fn story(&self, breach: &Breach) -> Vec<String> {
        let mut text = Vec::new();
        if let Some(story) = breach.thing.as_ref().and_then(|thing| self.people.ledger.things.get(thing)) {
            text.push("  what people did:".to_owned());
            text.extend(
                story.told.iter().map(|(at, told)| format!("    {:7.1} s  {told}", at.as_secs_f64())),
            );
        }
        let mut about = breach.about.clone();
        for (pair, link) in &breach.links {
            about.push(link.to_string());
            let stored = self.links.find(&self.connection, pair, link).await;
            text.push(format!("  {pair} {link}: {stored:?}"));
            let lines = self.links.history(&self.connection, pair, link, 40).await.unwrap_or_default();
            text.extend(lines.iter().rev().map(|line| format!("    {line}")));
        }
        about.sort();
        about.dedup();
        let said = self.fleet.said_of(&about);
        if !said.is_empty() {
            text.push("  logs:".to_owned());
            let skipped = said.len().saturating_sub(LOG_LINES);
            text.extend(said.iter().skip(skipped).map(|line| format!("    {line}")));
        }
        let site = self.world.site();
        text.push("  writes:".to_owned());
        let names = |path: &str| about.iter().any(|id| path.contains(id.as_str()));
        for call in site.crm.control().log().iter().filter(|call| call.method != "GET" && names(&call.path)) {
            text.push(format!("    {} CRM {} {}: {}", call.at, call.method, call.path, call.status));
        }
        for call in site.exact.control().log().iter().filter(|call| call.method != "GET" && names(&call.path))
        {
            text.push(format!("    {} Exact {} {}: {}", call.at, call.method, call.path, call.status));
        }
        text
    }
}
