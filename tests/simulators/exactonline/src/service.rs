//! The service itself: every request in, every answer out, all state in memory. No sockets here.

use std::collections::VecDeque;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use uuid::Uuid;

use crate::answer::{Answer, Refused};
use crate::call::{Call, Resource};
use crate::clock::Clock;
use crate::database::{Context, Database, Key};
use crate::faults::{Fault, FaultKind, LoggedCall};
use crate::grants::{Bearer, Grants};
use crate::json::Json;
use crate::limiter::Limiter;
use crate::query::{Expansion, Query, check_list, lines_of};
use crate::record::{address, bare_record};
use crate::schema::{Family, shape_of};
use crate::settings::{Limits, Person, Renditions, Settings, Switches};
use crate::webhooks::{Delivered, SUBSCRIPTIONS};
use crate::write::Purpose;

/// Calls that the log holds before it forgets the oldest.
const LOG_KEPT: usize = 200_000;

/// The state of the simulated service.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) division: i32,
    pub(crate) divisions: Vec<i32>,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) redirect_uri: String,
    pub(crate) webhook_secret: String,
    pub(crate) api_user: Uuid,
    pub(crate) people: Vec<Person>,
    pub(crate) zone: TimeZone,
    pub(crate) clock: Clock,
    pub(crate) grants: Grants,
    pub(crate) limiter: Limiter,
    pub(crate) limits: Limits,
    pub(crate) switches: Switches,
    pub(crate) renditions: Renditions,
    pub(crate) database: Database,
    pub(crate) faults: Vec<Fault>,
    pub(crate) log: VecDeque<LoggedCall>,
    pub(crate) delivered: Vec<Delivered>,
    pub(crate) token_calls: UnderWay,
}

/// How many calls of an endpoint are under way.
#[derive(Debug, Default)]
pub(crate) struct UnderWay {
    pub(crate) now: usize,
    /// The most that ever were.
    pub(crate) most: usize,
}

impl UnderWay {
    pub(crate) fn begins(&mut self) {
        self.now += 1;
        self.most = self.most.max(self.now);
    }

    pub(crate) fn ends(&mut self) {
        self.now -= 1;
    }
}

impl Service {
    /// A service with its users and divisions and no other records.
    pub(crate) fn new(settings: &Settings) -> Self {
        let zone = match settings.server_utc_offset.and_then(|seconds| Offset::from_seconds(seconds).ok()) {
            Some(offset) => TimeZone::fixed(offset),
            None => {
                TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("the rule of Dutch time is well formed")
            }
        };
        let mut divisions = vec![settings.division];
        divisions.extend(&settings.further_divisions);
        let mut people = vec![settings.api_user.clone()];
        people.extend(settings.humans.iter().cloned());
        let mut service = Self {
            division: settings.division,
            divisions,
            client_id: settings.client_id.clone(),
            client_secret: settings.client_secret.clone(),
            redirect_uri: settings.redirect_uri.clone(),
            webhook_secret: settings.webhook_secret.clone(),
            api_user: settings.api_user.id,
            people: Vec::new(),
            zone,
            clock: Clock::new(
                settings.start_at,
                if settings.frozen_clock { 0 } else { settings.clock_speed },
            ),
            grants: Grants::default(),
            limiter: Limiter::default(),
            limits: settings.limits.clone(),
            switches: settings.switches.clone(),
            renditions: Renditions::new(),
            database: Database::new(),
            faults: Vec::new(),
            log: VecDeque::new(),
            delivered: Vec::new(),
            token_calls: UnderWay::default(),
        };
        for person in people {
            service.add_person(person);
        }
        service.add_divisions();
        service
    }

    /// Milliseconds since 1970, UTC, on the simulator's clock.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    /// The fault that is to befall this call; it counts as having happened.
    pub(crate) fn take_fault(&mut self, call: &Call) -> Option<FaultKind> {
        if matches!(self.bearer(call), Bearer::Human(_)) {
            return None;
        }
        let fault = self.faults.iter_mut().find(|fault| fault.hits(&call.method, &call.target))?;
        fault.count -= 1;
        let kind = fault.kind.clone();
        self.faults.retain(|fault| fault.count > 0);
        Some(kind)
    }

    /// Answers a call and logs it.
    pub(crate) fn answer(&mut self, call: &Call, fault: Option<&FaultKind>) -> Answer {
        let now = self.now();
        let bearer = self.bearer(call);
        let answer = match fault {
            Some(FaultKind::FailBefore { status }) => {
                let text = "A problem has occurred. The cause of this issue will be investigated as soon as possible.";
                Refused::new(*status, text).into_answer(self.switches.escape_slashes)
            }
            Some(FaultKind::BreakOff) => Answer::empty(503),
            Some(FaultKind::Throttle) => self.too_many(Limiter::minute_refusal(now, &self.limits)),
            _ => self.route(call, bearer, now),
        };
        let user = match bearer {
            Bearer::App(user) | Bearer::Human(user) | Bearer::Ended(user) => Some(user),
            Bearer::Unknown => None,
        };
        if self.log.len() == LOG_KEPT {
            self.log.pop_front();
        }
        self.log.push_back(LoggedCall {
            method: call.method.clone(),
            path: call.target.clone(),
            user,
            status: answer.status,
            at: self.clock.now().to_string(),
            lost: fault.is_some_and(FaultKind::loses_the_answer),
        });
        answer
    }

    /// Under which circumstances a call of this user in this division is carried out.
    pub(crate) fn context<'a>(&'a self, base: &'a str, division: i32, user: Uuid) -> Context<'a> {
        Context {
            base,
            division,
            user,
            now: self.now(),
            zone: &self.zone,
            limits: &self.limits,
            switches: &self.switches,
            renditions: &self.renditions,
        }
    }

    fn bearer(&self, call: &Call) -> Bearer {
        call.bearer.as_deref().map_or(Bearer::Unknown, |token| self.grants.bearer(token, self.now()))
    }

    fn route(&mut self, call: &Call, bearer: Bearer, now: i64) -> Answer {
        let path = call.path.to_lowercase();
        let escape = self.switches.escape_slashes;
        match path.as_str() {
            "/api/oauth2/auth" => return self.authorize(call, now),
            "/api/oauth2/token" => return self.token(call, now),
            _ => {}
        }
        let Some(rest) = path.strip_prefix("/api/v1/") else {
            return Refused::not_found(&call.path).into_answer(escape);
        };
        let user = match bearer {
            Bearer::App(user) | Bearer::Human(user) | Bearer::Ended(user) => user,
            Bearer::Unknown => return Answer::login_page(&call.path),
        };
        if rest == "current/me" {
            let answer =
                if matches!(bearer, Bearer::Ended(_)) { Err(ended()) } else { self.me(call, user, now) };
            return answer.unwrap_or_else(|refused| refused.into_answer(escape));
        }
        let parts = rest.split_once('/').and_then(|(division, _)| {
            // The resource keeps its case: a key may be text.
            let resource = &call.path["/api/v1/".len() + division.len() + 1..];
            Some((division.parse().ok()?, resource))
        });
        let Some((division, resource)) = parts else {
            return Refused::not_found(&call.path).into_answer(escape);
        };
        self.within_limits(call, bearer, user, division, resource, now)
    }

    fn within_limits(
        &mut self,
        call: &Call,
        bearer: Bearer,
        user: Uuid,
        division: i32,
        resource: &str,
        now: i64,
    ) -> Answer {
        let escape = self.switches.escape_slashes;
        if matches!(bearer, Bearer::Human(_)) {
            return self
                .perform(call, user, division, resource)
                .unwrap_or_else(|refused| refused.into_answer(escape));
        }
        let named = resource.split('(').next().unwrap_or(resource).trim_end_matches("/$count");
        let place = (user, division, named.to_lowercase());
        if self.limiter.is_blocked(&place, now, &self.switches) {
            let status = self.switches.error_block_status;
            return if self.switches.error_block_told {
                Refused::new(status, "API rate limit exceeded").into_answer(escape)
            } else {
                Answer::empty(status)
            };
        }
        let answer = if matches!(bearer, Bearer::Ended(_)) {
            ended().into_answer(escape)
        } else {
            let left = match self.limiter.admit(division, now, &self.limits) {
                Ok(left) => left,
                Err(left) => return self.too_many(left),
            };
            let mut answer = self
                .perform(call, user, division, resource)
                .unwrap_or_else(|refused| refused.into_answer(escape));
            answer.headers.extend(left);
            answer
        };
        self.limiter.note_status(place, answer.status, now, &self.limits, &self.switches);
        answer
    }

    /// A call too many. Its body is empty.
    fn too_many(&self, left: crate::limiter::Headers) -> Answer {
        let headers = if self.switches.refusals_tell { left } else { Vec::new() };
        Answer { headers, ..Answer::empty(429) }
    }

    fn perform(&mut self, call: &Call, user: Uuid, division: i32, path: &str) -> Result<Answer, Refused> {
        let in_scope =
            self.divisions.contains(&division) && !self.switches.divisions_out_of_scope.contains(&division);
        if !in_scope {
            return Err(Refused::new(403, "Forbidden - User division is not within division scope.")
                .because("NoDivisionAccess"));
        }
        if path.eq_ignore_ascii_case("users/UserHasRights") {
            return self.has_rights(call);
        }
        let resource = Resource::parse(path).ok_or_else(|| Refused::not_found(path))?;
        let keyed = resource.key.is_some();
        let fits = match call.method.as_str() {
            "POST" => !keyed,
            "PUT" | "DELETE" => keyed && resource.list.is_none(),
            _ => true,
        };
        if !fits || !resource.endpoint.methods.contains(&call.method.as_str()) {
            return Err(Refused::method());
        }
        if resource.count {
            if call.takes_json() {
                return Err(unsupported());
            }
        } else {
            only_json(call)?;
        }
        if call.method == "GET" {
            return self.read(call, user, division, &resource);
        }
        if !self.switches.has_right(resource.endpoint.path) {
            return Err(Refused::new(403, "Forbidden"));
        }
        self.write(call, user, division, &resource)
    }

    fn read(&self, call: &Call, user: Uuid, division: i32, resource: &Resource) -> Result<Answer, Refused> {
        let endpoint = resource.endpoint;
        let shape = shape_of(endpoint.table);
        let escape = self.switches.escape_slashes;
        let context = self.context(&call.base, division, user);
        let query = Query::parse(&call.query, endpoint, shape)?;
        if let Some(key) = resource.key {
            if !self.switches.has_right(endpoint.path) {
                return Err(Refused::not_found(endpoint.path));
            }
            if let Some(position) = resource.list {
                return self.lines_within(resource, key, position, &context);
            }
            return Ok(Answer::json(200, &self.database.single(endpoint, key, &query, &context)?, escape));
        }
        let select_required =
            !resource.count && (endpoint.family == Family::Bulk || self.switches.select_required);
        check_list(&query, &call.query, endpoint, shape, select_required, self.switches.filter_required)?;
        let readable = self.switches.has_right(endpoint.path);
        if resource.count {
            let count = if readable { self.database.count(endpoint, &query, &context) } else { 0 };
            let answer = Answer { body: count.to_string(), ..Answer::empty(200) };
            return Ok(answer.with("Content-Type", "text/plain; charset=utf-8"));
        }
        // A user without the right sees no error, only nothing.
        if !readable {
            let nothing = Json::object([("results", Json::List(Vec::new()))]);
            return Ok(Answer::json(200, &Json::object([("d", nothing)]), escape));
        }
        Ok(Answer::json(200, &self.database.list(endpoint, &query, &call.query, &context), escape))
    }

    /// The address that a record gives for a list that it does not deliver.
    fn lines_within(
        &self,
        resource: &Resource,
        key: Key,
        position: usize,
        context: &Context<'_>,
    ) -> Result<Answer, Refused> {
        let shape = shape_of(resource.endpoint.table);
        let row = self.database.find(shape.name, key, context.division);
        let row = row.ok_or_else(|| Refused::not_found(resource.endpoint.path))?;
        lines_of(shape, position).ok_or_else(|| Refused::not_found(&shape.properties[position].name))?;
        let lines = self.database.expanded(shape, row, &Expansion { position, select: None }, context);
        Ok(Answer::json(200, &Json::object([("d", lines)]), self.switches.escape_slashes))
    }

    fn write(
        &mut self,
        call: &Call,
        user: Uuid,
        division: i32,
        resource: &Resource,
    ) -> Result<Answer, Refused> {
        if call.method != "DELETE" && !call.brings_json() {
            return Err(unsupported());
        }
        let endpoint = resource.endpoint;
        // The database changes while the rest of the service is read.
        let mut database = std::mem::take(&mut self.database);
        let context = self.context(&call.base, division, user);
        let outcome = match (call.method.as_str(), resource.key) {
            ("POST", _) if let Some(action) = endpoint.action => {
                let form = database.act(endpoint, action, &call.body, &context);
                form.map(|form| {
                    let record = database.record(endpoint, &form, &Query::default(), &context);
                    Answer::json(201, &Json::object([("d", record)]), self.switches.escape_slashes)
                })
            }
            ("POST", _) => {
                let created = database.create(endpoint, &call.body, &context).and_then(|id| {
                    if endpoint.table == SUBSCRIPTIONS {
                        self.check_subscription(&mut database, id, call)?;
                    }
                    Ok(id)
                });
                created.map(|id| {
                    let row = database.find(endpoint.table, Key::Guid(id), division);
                    let row = row.expect("what was created is there");
                    let record = if call.wants_representation() {
                        database.record(endpoint, row, &Query::default(), &context)
                    } else {
                        bare_record(endpoint, row, &context)
                    };
                    let address = address(endpoint, shape_of(endpoint.table), row, &context);
                    let body = Json::object([("d", record)]);
                    Answer::json(201, &body, self.switches.escape_slashes).with("Location", address)
                })
            }
            ("PUT", Some(key)) => {
                let changed = database.change(endpoint, key, &call.body, Purpose::Change, &context);
                changed.map(|()| Answer::empty(204))
            }
            ("DELETE", Some(key)) => database.remove(endpoint, key, &context).map(|()| Answer::empty(204)),
            _ => Err(Refused::method()),
        };
        self.database = database;
        outcome
    }

    /// The moment in milliseconds as the service writes it in texts.
    pub(crate) fn american(&self, moment: i64) -> String {
        Timestamp::from_millisecond(moment)
            .map(|moment| self.zone.to_datetime(moment).strftime("%-m/%-d/%Y %-I:%M:%S %p").to_string())
            .unwrap_or_default()
    }
}

fn ended() -> Refused {
    Refused::new(401, "Unauthorized")
}

/// The service's default is Atom XML, which the simulator does not speak (status inferred).
pub(crate) fn unsupported() -> Refused {
    Refused::new(415, "Unsupported media type requested.")
}

pub(crate) fn only_json(call: &Call) -> Result<(), Refused> {
    if call.takes_json() { Ok(()) } else { Err(unsupported()) }
}
