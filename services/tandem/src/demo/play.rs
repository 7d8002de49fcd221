//! One demo, from its start to its summary.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use broker::InProcess;
use mapping::{Onto, Reading};
use model::{Properties, RecordId, System, SystemPair, View};
use service::{Context, Health, Reloads, ServiceError, parse_pairs};
use store::{Embedded, Links};
use telemetry::{LogFilter, Metrics};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::DemoError;
use super::compare::{metric_sum, name_of};
use super::data::Book;
use super::human::{Human, Intent};
use super::screen::{Progress, Screen};
use super::summary::Summary;
use super::systems::{Employee, Systems};
use super::watch::{Sight, Watch};
use crate::arguments::DemoOptions;
use crate::hosting::host;

/// The pair that the demo keeps.
const PAIR: (&str, &str) =
    ("customer-account.toml", include_str!("../../../../deploy/pairs/customer-account.toml"));

/// How long it may take to come to rest after the last edit.
const SETTLES_WITHIN: Duration = Duration::from_secs(20);
/// How long before its end a demo of limited time makes its last edit, at most; of a short one, a quarter.
const QUIET_END: Duration = Duration::from_secs(3);
/// For so long all must stay as it is to count as at rest: longer than a poll of either side.
const RESTS_FOR: Duration = Duration::from_millis(700);
/// The shortest time between two looks at the systems.
const LOOK: Duration = Duration::from_millis(50);

/// How far behind its rate the human may fall and still make up for it.
const CATCHES_UP: Duration = Duration::from_millis(500);

/// A demo that is being played.
struct Stage<'a> {
    systems: &'a Systems,
    watch: Watch<Embedded>,
    human: Human,
    metrics: Arc<Metrics>,
    began: Instant,
    latest: String,
}

/// Plays the demo until its time is over or `stop` is cancelled, and then until all is at rest.
pub(crate) async fn play(
    book: &Book,
    options: &DemoOptions,
    log_filter: LogFilter,
    stop: &CancellationToken,
    screen: &mut Screen,
) -> Result<Summary, DemoError> {
    let systems = Systems::start(book).await?;
    // Dropped last: it holds the file of the grant.
    let folder = tempfile::tempdir().map_err(DemoError::Folder)?;
    let (name, text) = PAIR;
    let pairs = parse_pairs(&[(name.to_owned(), text)], Reading::default()).map_err(DemoError::Services)?;
    let pair = pairs.first().cloned().expect("the pair's file was read");
    let config = systems.config(folder.path(), log_filter)?;
    let store = Embedded::in_memory().map_err(DemoError::Store)?;
    let links = Links::new(store.clone(), &config.namespace);
    let metrics = Arc::new(Metrics::new("tandem"));
    let context = Context {
        config: Arc::new(config),
        pairs: pairs.into(),
        stop: CancellationToken::new(),
        health: Health::new(),
        metrics: Arc::clone(&metrics),
        reloads: Reloads::none(),
    };
    let ended = context.stop.clone();
    // The services end with the demo, however it ends.
    let _guard = ended.clone().drop_guard();
    let mut services = tokio::spawn(host(InProcess::new(), store, true, context));
    let mut stage = Stage {
        systems: &systems,
        watch: Watch::new(pair, links, &systems),
        human: Human::new(options.seed, owners(&systems)),
        metrics,
        began: Instant::now(),
        latest: String::new(),
    };
    tokio::select! {
        failed = &mut services => return Err(services_ended(failed)),
        edited = stage.edit(options, stop, screen) => edited?,
    }
    let settled = tokio::select! {
        failed = &mut services => return Err(services_ended(failed)),
        settled = stage.settle(screen) => settled?,
    };
    ended.cancel();
    services_stopped(services).await?;
    let summary = stage.summary(settled).await?;
    systems.stop().await;
    Ok(summary)
}

/// The people to whom a record can be given: those whom both systems know.
fn owners(systems: &Systems) -> Vec<String> {
    let there: Vec<&str> =
        systems.people(System::ExactOnline).iter().map(|person| person.email.as_str()).collect();
    let here = systems.people(System::CustomCrm).iter().map(|person| person.email.clone());
    here.filter(|email| there.contains(&email.as_str())).collect()
}

type Ended = Result<Result<(), ServiceError>, tokio::task::JoinError>;

fn services_ended(ended: Ended) -> DemoError {
    let service = || "tandem".to_owned();
    DemoError::Services(match ended {
        Ok(Err(error)) => error,
        Ok(Ok(())) | Err(_) => ServiceError::Panicked { service: service() },
    })
}

async fn services_stopped(services: JoinHandle<Result<(), ServiceError>>) -> Result<(), DemoError> {
    match services.await {
        Ok(Ok(())) => Ok(()),
        ended => Err(services_ended(ended)),
    }
}

impl Stage<'_> {
    /// Lets the human edit until it is time to stop.
    async fn edit(
        &mut self,
        options: &DemoOptions,
        stop: &CancellationToken,
        screen: &mut Screen,
    ) -> Result<(), DemoError> {
        let until = options.lasts.map(|lasts| self.began + lasts.saturating_sub(QUIET_END.min(lasts / 4)));
        let pause = Duration::from_mins(1).checked_div(options.edits_per_minute);
        let mut next = Instant::now();
        loop {
            let sight = self.look(screen, None).await?;
            if stop.is_cancelled() || until.is_some_and(|until| Instant::now() >= until) {
                return Ok(());
            }
            if let Some(pause) = pause {
                // Late by more than a moment: what was missed is not made up for.
                next = Instant::now().checked_sub(CATCHES_UP).map_or(next, |earliest| next.max(earliest));
                while next <= Instant::now() {
                    self.act(&sight).await?;
                    next += pause;
                }
            }
            stop.run_until_cancelled(sleep(LOOK.max(sight.took() * 2))).await;
        }
    }

    /// Waits until all is at rest; gives how long that took, or `None` when there was no more time.
    async fn settle(&mut self, screen: &mut Screen) -> Result<Option<Duration>, DemoError> {
        let began = Instant::now();
        let mut rests_since: Option<Instant> = None;
        while began.elapsed() < SETTLES_WITHIN {
            let sight = self.look(screen, Some("settling")).await?;
            if self.watch.is_at_rest(&sight).await? {
                let since = *rests_since.get_or_insert_with(Instant::now);
                if since.elapsed() >= RESTS_FOR {
                    screen.finish(&self.progress(&sight, Some("at rest")));
                    return Ok(Some(since.duration_since(began)));
                }
            } else {
                rests_since = None;
            }
            sleep(LOOK.max(sight.took() * 2)).await;
        }
        screen.finish(&self.progress(&Sight::of(self.systems)?, Some("not at rest")));
        Ok(None)
    }

    async fn look(&mut self, screen: &mut Screen, phase: Option<&'static str>) -> Result<Sight, DemoError> {
        let sight = Sight::of(self.systems)?;
        self.watch.update(&sight).await?;
        screen.show(&self.progress(&sight, phase));
        Ok(sight)
    }

    fn progress(&self, sight: &Sight, phase: Option<&'static str>) -> Progress {
        let (linked, companies) = (self.watch.linked(), self.watch.companies(sight));
        let (edits, lags) = self.watch.edits();
        Progress {
            elapsed: self.began.elapsed(),
            phase: phase.unwrap_or(if linked < companies { "linking" } else { "in sync" }),
            linked,
            companies,
            written: (self.applied(System::CustomCrm), self.applied(System::ExactOnline)),
            edits,
            lags: lags.to_vec(),
            latest: self.latest.clone(),
        }
    }

    fn applied(&self, system: System) -> u64 {
        let labels = [("system", system.name()), ("outcome", "applied")];
        metric_sum(&self.metrics.render(), telemetry::names::metric::WRITES, &labels)
    }

    /// One thing that the human does.
    async fn act(&mut self, sight: &Sight) -> Result<(), DemoError> {
        let all_linked = self.watch.linked() == self.watch.companies(sight);
        match self.human.intends() {
            // While the first load runs, an account's number could still be taken by a customer on its way there.
            Intent::New(system) if all_linked => self.found(system).await,
            Intent::New(system) | Intent::One(system) => self.change_one(sight, system).await,
            Intent::Both => self.change_both(sight).await,
        }
    }

    async fn found(&mut self, system: System) -> Result<(), DemoError> {
        let company = self.human.founds();
        let properties = self.written(system, &company, true)?;
        let author = self.author(system)?;
        let record = self.systems.create(system, &author, &properties).await?;
        let name = name_of(self.watch.pair(), &company);
        self.latest = format!("{} in {system}: a new company, {name}", author.full_name);
        self.watch.expect(system, record, company);
        Ok(())
    }

    async fn change_one(&mut self, sight: &Sight, system: System) -> Result<(), DemoError> {
        let Some((partners, views)) = self.somebody(sight) else { return Ok(()) };
        let busy = self.watch.busy(&partners, &views);
        let Some(edit) = self.human.edits(&views[system], &busy) else { return Ok(()) };
        let properties = self.written(system, &edit.values, false)?;
        let author = self.author(system)?;
        self.systems.change(system, &author, &partners[system], &properties).await?;
        let name = name_of(self.watch.pair(), &views[system]);
        self.latest = format!("{} in {system}: {} for {name}", author.full_name, edit.what);
        self.watch.expect(system, partners[system].clone(), edit.values);
        Ok(())
    }

    /// Two people edit one company at the same moment, on both sides.
    async fn change_both(&mut self, sight: &Sight) -> Result<(), DemoError> {
        let Some((partners, views)) = self.somebody(sight) else { return Ok(()) };
        let busy = self.watch.busy(&partners, &views);
        let Some(edits) = self.human.edits_both(&views.customcrm, &busy) else { return Ok(()) };
        let (crm, exact) = (System::CustomCrm, System::ExactOnline);
        let properties = SystemPair {
            customcrm: self.written(crm, &edits.customcrm.values, false)?,
            exactonline: self.written(exact, &edits.exactonline.values, false)?,
        };
        let authors = SystemPair { customcrm: self.author(crm)?, exactonline: self.author(exact)? };
        let change = |system: System| {
            self.systems.change(system, &authors[system], &partners[system], &properties[system])
        };
        tokio::try_join!(change(crm), change(exact))?;
        let name = name_of(self.watch.pair(), &views.customcrm);
        let (one, other) = (edits.customcrm.what, edits.exactonline.what);
        self.latest = format!("both sides at once: {one} in {crm} and {other} in {exact} for {name}");
        self.watch.expect(crm, partners.customcrm, edits.customcrm.values);
        self.watch.expect(exact, partners.exactonline, edits.exactonline.values);
        Ok(())
    }

    /// Two partners, and how they look.
    fn somebody(&mut self, sight: &Sight) -> Option<(SystemPair<RecordId>, SystemPair<View>)> {
        let all = self.watch.partners();
        let partners = self.human.picks(&all)?.clone();
        let view = |system: System| self.watch.view(sight, system, &partners[system]);
        let views =
            SystemPair { customcrm: view(System::CustomCrm)?, exactonline: view(System::ExactOnline)? };
        Some((partners, views))
    }

    fn author(&mut self, system: System) -> Result<Employee, DemoError> {
        let people = self.systems.people(system);
        self.human.picks(people).cloned().ok_or_else(|| DemoError::Edit(format!("{system} has no people")))
    }

    /// The values under the system's own names, as a person would type them there.
    fn written(&self, system: System, values: &View, creating: bool) -> Result<Properties, DemoError> {
        let problems = |problems: Vec<mapping::Problem>| {
            let words: Vec<String> = problems.iter().map(ToString::to_string).collect();
            DemoError::Edit(words.join("; "))
        };
        let lines = BTreeMap::new();
        let onto = if creating {
            Onto::New { source: values }
        } else {
            Onto::Known { source: values, view: values, lines: &lines }
        };
        let put = self.watch.pair().put(system, values, onto, self.watch.lookups()).map_err(problems)?;
        Ok(put.properties)
    }

    async fn summary(&self, settled: Option<Duration>) -> Result<Summary, DemoError> {
        let verdict = self.watch.verdict(&Sight::of(self.systems)?).await?;
        let (edits, lags) = self.watch.edits();
        let (created_crm, written_crm) = self.systems.written(System::CustomCrm);
        let (created_exact, written_exact) = self.systems.written(System::ExactOnline);
        Ok(Summary {
            pair: self.watch.pair().name.to_string(),
            linked: self.watch.linked(),
            created: (created_crm, created_exact),
            written: (written_crm, written_exact),
            echoes: metric_sum(&self.metrics.render(), telemetry::names::metric::ECHOES, &[]),
            conflicts: verdict.conflicts,
            edits,
            lags: lags.to_vec(),
            settled,
            differences: verdict.differences,
        })
    }
}
