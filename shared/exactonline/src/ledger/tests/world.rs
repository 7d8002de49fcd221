//! Workers of several replicas, whose clocks differ, and an Exact that counts what arrives: all in virtual time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use jiff::Timestamp;

use super::super::{Counted, DAY, Granted, Ledger, MINUTE, Priority, Taken, Told, ToldOf, moment};
use crate::Limits;

const HOUR: i64 = 60 * MINUTE;

/// Numbers that a seed decides (SplitMix64).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `0` up to and without `below`.
    pub(super) fn below(&mut self, below: i64) -> i64 {
        let below = below.max(1).unsigned_abs();
        i64::try_from(self.next() % below).expect("it is less than a number that fits")
    }
}

/// What a worker does between its calls.
#[derive(Debug, Clone, Copy)]
pub(super) enum Habit {
    /// It always has another call to make.
    Busy,
    /// It makes so many calls one after the other, and again so many milliseconds after it began.
    Every { calls: u32, pause: i64 },
}

#[derive(Debug, Clone)]
pub(super) struct Worker {
    pub(super) class: Priority,
    pub(super) habit: Habit,
    pub(super) endpoint: &'static str,
    /// Its clock is so far ahead of the true one, in milliseconds.
    pub(super) clock: i64,
    /// When it begins.
    pub(super) begins: i64,
    /// All its calls are answered with 400.
    pub(super) fails: bool,
    pub(super) left: u32,
    pub(super) round: i64,
    /// Since when it has wanted the call that it asks for.
    pub(super) wants: i64,
}

impl Worker {
    pub(super) fn new(class: Priority, habit: Habit, begins: Timestamp) -> Self {
        let begins = begins.as_millisecond();
        let left = if let Habit::Every { calls, .. } = habit { calls } else { 0 };
        let endpoint = "crm/accounts";
        Self { class, habit, endpoint, clock: 0, begins, fails: false, left, round: begins, wants: begins }
    }
}

enum Event {
    Ask,
    Arrive(Granted),
    Answer(Granted, Answer),
}

#[derive(Clone, Copy)]
enum Answer {
    Done(Told),
    Error(Told),
    TooMany(Told),
    Blocked,
}

/// What Exact has counted, by its own clock.
#[derive(Default)]
pub(super) struct Exact {
    /// Its clock is so far ahead of the true one.
    pub(super) clock: i64,
    /// Another app of the key makes so many calls as each minute begins.
    pub(super) others: u32,
    pub(super) minutes: BTreeMap<i64, u32>,
    pub(super) days: BTreeMap<i64, u32>,
    pub(super) errors: Vec<i64>,
    pub(super) refused: u32,
    pub(super) blocked: u32,
    blocked_until: i64,
}

impl Exact {
    fn answer(&mut self, limits: &Limits, now: i64, fails: bool) -> Answer {
        let now = now + self.clock;
        let (minute, day) = (now.div_euclid(MINUTE), now.div_euclid(DAY));
        if fails && now < self.blocked_until {
            self.blocked += 1;
            return Answer::Blocked;
        }
        let in_minute = self.minutes.entry(minute).or_insert(self.others);
        let in_day = self.days.entry(day).or_default();
        let of = |left: u32, number: i64, length: i64| ToldOf {
            limit: Some(if length == MINUTE { limits.per_minute } else { limits.per_day }),
            remaining: Some(left),
            reset: Some(moment((number + 1) * length)),
        };
        if *in_day >= limits.per_day {
            self.refused += 1;
            return Answer::TooMany(Told { day: of(0, day, DAY), ..Told::default() });
        }
        if *in_minute >= limits.per_minute {
            self.refused += 1;
            return Answer::TooMany(Told { minute: of(0, minute, MINUTE), ..Told::default() });
        }
        *in_minute += 1;
        *in_day += 1;
        let told = Told {
            minute: of(limits.per_minute - *in_minute, minute, MINUTE),
            day: of(limits.per_day - *in_day, day, DAY),
        };
        if !fails {
            return Answer::Done(told);
        }
        self.errors.push(now);
        // Ten within an hour, whether that is the last one or one of the clock.
        let recent = self.errors.iter().filter(|error| now - **error < HOUR).count();
        if recent >= 10 {
            self.blocked_until = now + HOUR;
        }
        Answer::Error(told)
    }
}

/// A call that was granted: the worker, when it was wanted and when it was granted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    pub(super) class: Priority,
    pub(super) wanted: i64,
    pub(super) granted: i64,
}

impl Call {
    pub(super) const fn waited(self) -> i64 {
        self.granted - self.wanted
    }
}

pub(super) struct World {
    pub(super) limits: Limits,
    pub(super) ledger: Ledger,
    pub(super) exact: Exact,
    pub(super) workers: Vec<Worker>,
    pub(super) dice: Dice,
    /// The longest that a call is under way to Exact, in milliseconds.
    pub(super) transit_max: i64,
    pub(super) calls: Vec<Call>,
}

impl World {
    pub(super) fn new(limits: Limits, seed: u64, workers: Vec<Worker>) -> Self {
        Self {
            limits,
            ledger: Ledger::default(),
            exact: Exact::default(),
            workers,
            dice: Dice(seed),
            transit_max: 400,
            calls: Vec::new(),
        }
    }

    /// Lets the workers work up to this moment.
    pub(super) fn run(&mut self, until: Timestamp) {
        let until = until.as_millisecond();
        let mut queue = BinaryHeap::new();
        let mut events: Vec<Option<Event>> = Vec::new();
        let mut later = Vec::new();
        for (worker, it) in self.workers.iter().enumerate() {
            later.push((it.begins, worker, Event::Ask));
        }
        loop {
            for (at, worker, event) in later.drain(..) {
                queue.push(Reverse((at, events.len(), worker)));
                events.push(Some(event));
            }
            let Some(Reverse((now, event, worker))) = queue.pop() else { return };
            if now >= until {
                return;
            }
            let event = events[event].take().expect("each event happens once");
            let (at, event) = self.happens(now, worker, event);
            later.push((at, worker, event));
        }
    }

    /// What happens, and what the worker meets next.
    fn happens(&mut self, now: i64, worker: usize, event: Event) -> (i64, Event) {
        let it = &mut self.workers[worker];
        let clock = moment(now + it.clock);
        match event {
            Event::Ask => {
                let taken =
                    self.ledger.take(&self.limits, clock, it.class, Counted::MinuteAndDay, it.endpoint);
                match taken {
                    Taken::Granted(call) => {
                        self.calls.push(Call { class: it.class, wanted: it.wants, granted: now });
                        (now + self.dice.below(self.transit_max), Event::Arrive(call))
                    }
                    Taken::Wait { until, .. } => {
                        let wait = until.as_millisecond() - clock.as_millisecond();
                        (now + wait.max(100) + self.dice.below(30), Event::Ask)
                    }
                }
            }
            Event::Arrive(call) => {
                let answer = self.exact.answer(&self.limits, now, it.fails);
                (now + 20 + self.dice.below(self.transit_max), Event::Answer(call, answer))
            }
            Event::Answer(call, answer) => {
                match answer {
                    Answer::Done(told) => self.ledger.told(&self.limits, &call, &told),
                    Answer::Error(told) => self.ledger.failed(&self.limits, &call, &told, clock),
                    Answer::TooMany(told) => drop(self.ledger.exceeded(&call, &told, clock)),
                    Answer::Blocked => drop(self.ledger.blocked(&call, clock)),
                }
                it.wants = match it.habit {
                    Habit::Busy => now,
                    Habit::Every { calls, pause } => {
                        it.left -= 1;
                        if it.left == 0 {
                            it.left = calls;
                            it.round = now.max(it.round + pause);
                            it.round
                        } else {
                            now
                        }
                    }
                };
                (it.wants, Event::Ask)
            }
        }
    }

    /// The share of its minutes' calls that was used, from the second minute up to the last but one.
    pub(super) fn used_share(&self) -> f64 {
        let (Some(first), Some(last)) =
            (self.exact.minutes.keys().next(), self.exact.minutes.keys().next_back())
        else {
            return 0.0;
        };
        let used: u32 = self.exact.minutes.range(first + 1..*last).map(|(_, used)| used).sum();
        let minutes = u32::try_from(last - first - 1).unwrap();
        f64::from(used) / f64::from(minutes * self.limits.per_minute)
    }

    /// The calls of a class that were wanted from this moment on.
    pub(super) fn calls_of(&self, class: Priority, from: Timestamp) -> impl Iterator<Item = &Call> {
        let from = from.as_millisecond();
        self.calls.iter().filter(move |call| call.class == class && call.wanted >= from)
    }
}
