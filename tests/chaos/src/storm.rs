//! Everything at once: all seven pairs, several replicas of each service, two humans who edit, and faults of every
//! kind, all drawn from one seed; then rest, and the promises are judged.
//!
//! Start reading at [`storm`]. What people do and what must become of it is in the crate `people`, what goes wrong in
//! `faults`.

mod faults;
mod fleet;
mod rest;
mod strike;
mod told;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mapping::Pair;
use model::{ConnectionName, System};
use people::{Agreed, Hand, Moment, People, Sides};
use secrecy::SecretString;
use servers::{RabbitMq, Redis};
use simulator_customcrm::{Limits as CrmLimits, NewUser};
use simulator_exactonline::{Limits, Person, Switches};
use store::Links;
use tokio::task::JoinHandle;

use self::faults::{Due, Weather, schedule};
use self::fleet::Fleet;
pub use self::told::Told;
use crate::{Hosting, Kept, Plan, Quota, RECOVERS_WITHIN, Service, Site, World};

/// How often the loop looks at what is due.
const TICK: Duration = Duration::from_millis(40);
/// How often the replicas are looked after.
const LOOKS_EVERY: Duration = Duration::from_secs(2);
/// How often each collector asks for changes.
const POLL: Duration = Duration::from_millis(600);
/// The same at Exact's own limits: its eight feeds then take less than half of the minute's calls.
const POLL_AT_OWN_LIMITS: Duration = Duration::from_secs(20);
/// What both systems allow during the storm: a poll and an edit never wait long for it, but it can be overrun.
const CALLS_PER_MINUTE: u32 = 3_000;
/// What both systems allow in a minute by their documentation. The calls of a day are long used up.
const OWN_LIMITS: Quota = Quota { crm_per_minute: 600, exact_per_minute: 60, ..Quota::AMPLE };
/// What a start may take at these: the calls of the minute before count, and then each feed has its turn.
const READY_AT_OWN_LIMITS: Duration = Duration::from_mins(5);
/// People who work in both systems, beside Robin.
const COLLEAGUES: [(&str, &str); 2] =
    [("Sanne Bakker", "sanne@crm.example"), ("Omar Visser", "omar@crm.example")];

/// What a storm is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Script {
    /// What everything is drawn from.
    pub seed: u64,
    /// How long people edit and things go wrong.
    pub lasts: Duration,
    /// The mean time between two faults.
    pub fault_every: Duration,
    /// How many edits people make in a minute, both together.
    pub edits_per_minute: u32,
    /// How many replicas of each service run.
    pub replicas: usize,
    /// Whether Redis may be emptied.
    pub flushes: bool,
    /// Whether Exact may answer 429. The product takes it for the end of the minute, and a write that waits for more than
    /// half of that rests for five: this is nothing for a short storm.
    pub refusals: bool,
    /// How long people go on at Exact's own limits, without faults, after the first rest; zero for not at all.
    pub at_own_limits: Duration,
    /// How long it may take to come to rest.
    pub rests_within: Duration,
}

/// A storm that rages.
struct Storm {
    script: Script,
    world: World,
    sides: Sides,
    fleet: Fleet,
    people: People,
    pairs: Vec<Pair>,
    links: Links<store::Redis>,
    connection: ConnectionName,
    broker: Arc<Mutex<RabbitMq>>,
    redis: Arc<Mutex<Redis>>,
    under_way: Vec<JoinHandle<()>>,
    began: Instant,
    /// What is to be done when its moment comes, such as starting a killed replica again.
    later: Vec<(Duration, Later)>,
    faults: BTreeMap<&'static str, u32>,
    /// 429s that were asked for.
    throttles: SystemCounts,
    agreed: Agreed,
}

#[derive(Debug, Default, Clone, Copy)]
struct SystemCounts {
    customcrm: u32,
    exactonline: u32,
}

/// The end of a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Later {
    Start(Service, usize),
    Resume(Service, usize),
    Remove(Service, usize),
    TellRefusals,
    FeedsInTime,
    LongPages,
    /// Eight hours have passed since it was looked last whether Exact has numbered everything anew.
    NoticeNumbering,
}

/// Lets a storm rage and judges what became of everything.
///
/// # Panics
///
/// With the story of all that does not hold.
#[expect(
    clippy::print_stdout,
    reason = "a run that fails must be repeated, and its seed and its faults tell how"
)]
pub async fn storm(script: Script) -> Told {
    println!("{script:?}");
    let weather = Weather {
        every: script.fault_every,
        replicas: script.replicas,
        flushes: script.flushes,
        refusals: script.refusals,
    };
    let due = schedule(script.seed, script.lasts, weather);
    for due in &due {
        println!("{due}");
    }
    let mut storm = Storm::start(script).await;
    storm.rage(due).await;
    storm.calm_down().await;
    let settled = storm.rest().await;
    if !script.at_own_limits.is_zero() {
        storm.at_own_limits().await;
        storm.rest().await;
    }
    storm.judge(settled).await
}

impl Storm {
    async fn start(script: Script) -> Self {
        let (broker, redis) = (RabbitMq::start().unwrap(), Redis::start().unwrap());
        let plan = Plan {
            amqp_url: Some(broker.url()),
            redis_url: Some(redis.url()),
            kept: Kept::AllSeven,
            poll: POLL,
            quota: Quota {
                crm_per_minute: CALLS_PER_MINUTE,
                exact_per_minute: CALLS_PER_MINUTE,
                ..Quota::AMPLE
            },
            grace_seconds: 10,
            ..Plan::new(Hosting::Processes)
        };
        let world = World::prepare(plan).await;
        prepare(world.site(), script.seed);
        let url = SecretString::from(redis.url());
        let links = Links::new(store::Redis::open(&url).unwrap(), world.namespace());
        let fleet = Fleet::start(world.config(), script.replicas);
        fleet.all_ready(RECOVERS_WITHIN).await;
        let connection = ConnectionName::parse(&world.site().name).unwrap();
        let lists = servers::wait_until_async("the lists of Exact to be read", RECOVERS_WITHIN, async || {
            let lists = links.lists(&connection).await.map_err(|error| error.to_string())?;
            if lists.len() == 4 { Ok(lists) } else { Err(format!("{:?}", lists.keys())) }
        })
        .await;
        let pairs = Kept::AllSeven.pairs();
        let sides = world.site().sides();
        let hand = Hand::new(pairs.clone(), &sides, lists);
        let mut storm = Self {
            script,
            fleet,
            people: People::new(script.seed, hand),
            pairs,
            links,
            connection,
            broker: Arc::new(Mutex::new(broker)),
            redis: Arc::new(Mutex::new(redis)),
            under_way: Vec::new(),
            began: Instant::now(),
            later: Vec::new(),
            faults: BTreeMap::new(),
            throttles: SystemCounts::default(),
            agreed: Agreed::new(),
            sides,
            world,
        };
        storm.people.begin(&storm.sides);
        storm
    }

    /// People edit and faults happen until the time is over.
    async fn rage(&mut self, due: Vec<Due>) {
        let pause = Duration::from_mins(1) / self.script.edits_per_minute;
        let (mut next_edit, mut next_look) = (Duration::ZERO, Duration::ZERO);
        let mut due = due.into_iter().peekable();
        let mut side = 0;
        while self.began.elapsed() < self.script.lasts {
            let now = self.began.elapsed();
            while let Some(next) = due.next_if(|next| next.at <= now) {
                self.strike(next.fault);
            }
            self.end_what_is_over(now).await;
            if now >= next_look {
                self.fleet.look().await;
                self.see_what_is_agreed().await;
                next_look = self.began.elapsed() + LOOKS_EVERY;
            }
            if now >= next_edit {
                self.edit(System::BOTH[side % 2]);
                side += 1;
                // What was missed while a look took long is not made up for.
                next_edit = (next_edit + pause).max(now);
            }
            tokio::time::sleep(TICK).await;
        }
    }

    fn edit(&mut self, system: System) {
        let now = Moment { sides: &self.sides, at: self.began.elapsed(), agreed: &self.agreed };
        self.people.act(now, system);
    }

    /// While links are lost: which of them are there again.
    async fn see_what_is_agreed(&mut self) {
        self.people.arrivals(&self.sides, self.began.elapsed());
        if self.people.misses_links() {
            let agreed = people::agreed(&self.pairs, &self.links, &self.connection);
            if let Ok(Ok(agreed)) = tokio::time::timeout(Duration::from_secs(3), agreed).await {
                self.agreed = agreed;
            }
        }
    }

    /// People go on for a while at Exact's own limits, to which the services are set first, one by one, and from which
    /// they are set back in the same way.
    async fn at_own_limits(&mut self) {
        let config = self.world.reconfigured(OWN_LIMITS, POLL_AT_OWN_LIMITS);
        self.fleet.roll(&config, READY_AT_OWN_LIMITS).await;
        // What was called before counts for the minute that it was called in.
        let into_the_minute = jiff::Timestamp::now().as_second().rem_euclid(60).unsigned_abs();
        tokio::time::sleep(Duration::from_secs(62 - into_the_minute)).await;
        self.limit(|limits| limits.per_minute = OWN_LIMITS.exact_per_minute);
        self.world.site().crm.control().set_limits(CrmLimits::default()).unwrap();
        let until = self.began.elapsed() + self.script.at_own_limits;
        let mut side = 0;
        while self.began.elapsed() < until {
            self.edit(System::BOTH[side % 2]);
            side += 1;
            for _ in 0..5 {
                self.fleet.look().await;
                self.see_what_is_agreed().await;
                tokio::time::sleep(LOOKS_EVERY).await;
            }
        }
        self.limit(|limits| limits.per_minute = CALLS_PER_MINUTE);
        let config = self.world.config().to_owned();
        self.fleet.roll(&config, RECOVERS_WITHIN).await;
    }
}

/// People whom both systems know, the limits of the storm, and how Exact behaves where that is documented nowhere.
fn prepare(site: &Site, seed: u64) {
    for (name, email) in COLLEAGUES {
        let user =
            NewUser { full_name: Some(name.to_owned()), email: Some(email.to_owned()), ..NewUser::default() };
        site.crm.control().create_token(user).unwrap();
        site.exact.control().add_person(Person::new(name, email));
    }
    let window = Duration::from_mins(1);
    site.crm.control().set_limits(CrmLimits { calls: CALLS_PER_MINUTE, window }).unwrap();
    let control = site.exact.control();
    control.set_limits(Limits {
        per_minute: CALLS_PER_MINUTE,
        // A token serves for a minute, so that there are refreshes in any storm.
        access_token_seconds: 60,
        refresh_not_before_seconds: 30,
        ..control.limits()
    });
    let is_so = |bit: u32| (seed >> bit) & 1 == 1;
    control.set_switches(Switches {
        int64_as_string: is_so(0),
        line_changes_touch_header: is_so(1),
        single_access_token: is_so(2),
        quotations_start_as_drafts: is_so(3),
        lower_versions_after_a_move: !is_so(4),
        ..control.switches()
    });
}
