//! The way of a message to the broker and of its confirmation back.
//!
//! What many callers publish at a time goes out together on few channels: a message that has a channel to itself costs
//! the broker twice as much. Each caller learns what became of its own messages.

use std::collections::BTreeSet;
use std::iter;
use std::mem;
use std::pin::pin;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream;
use lapin::options::BasicPublishOptions;
use lapin::types::ShortString;
use lapin::{BasicProperties, Channel, Confirmation, Connection};
use tokio::sync::{Mutex, mpsc, oneshot};

use super::session::{classified, confirming, lost, short};
use super::{ANSWER_TIMEOUT, Shared, wire};
use crate::BrokerError;
use crate::message::Addressed;

/// How many messages go out together at most, but for what one caller publishes at once.
const TOGETHER_MAX: usize = 256;
/// How many messages of one channel may await their confirmation at once.
const UNCONFIRMED_MAX: usize = 1_000;
/// How many callers may wait for their messages to go out.
const WAITING_MAX: usize = 256;
/// While some messages await their confirmation, others go out on another channel, of so many.
const CHANNELS: usize = 2;

/// What one caller publishes.
pub(super) struct Shipment {
    parcels: Vec<Arc<Parcel>>,
    answer: oneshot::Sender<Result<(), Box<NotSent>>>,
}

/// Why messages were not confirmed.
struct NotSent {
    error: BrokerError,
    failed: Vec<Arc<Parcel>>,
    /// Those of them of which nothing is known: they may be sent again on a new connection.
    lost: Vec<Arc<Parcel>>,
}

/// A message that is ready to go out, as often as it takes.
struct Parcel {
    route: Route,
    properties: BasicProperties,
    body: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Route {
    exchange: ShortString,
    routing_key: ShortString,
}

/// What the broker answered to one message. The client library hands a returned message to whichever confirmation of its
/// channel comes next.
struct Answer {
    is_taken: bool,
    returned: Option<Route>,
}

impl Shared {
    /// Publishes messages. When the connection is lost on the way, those that were not confirmed go out once more
    /// on a new one.
    pub(super) async fn send(&self, messages: Vec<Addressed>) -> Result<(), BrokerError> {
        let parcels = messages.into_iter().map(|message| Ok(Arc::new(Parcel::new(message)?)));
        let parcels: Vec<Arc<Parcel>> = parcels.collect::<Result<_, BrokerError>>()?;
        if parcels.is_empty() {
            return Ok(());
        }
        match self.send_once(parcels).await {
            Err(not_sent) if matches!(not_sent.error, BrokerError::Lost { .. }) => {
                self.send_once(not_sent.lost).await.map_err(|not_sent| not_sent.error)
            }
            other => other.map_err(|not_sent| not_sent.error),
        }
    }

    async fn send_once(&self, parcels: Vec<Arc<Parcel>>) -> Result<(), Box<NotSent>> {
        let failed = |error| Box::new(NotSent { error, failed: Vec::new(), lost: Vec::new() });
        let session = self.session().await.map_err(failed)?;
        if session.blocked() {
            return Err(failed(BrokerError::Blocked));
        }
        let (answer, answered) = oneshot::channel();
        let lost = parcels.clone();
        let shipped = session.shipments().send(Shipment { parcels, answer });
        let shipped = tokio::time::timeout(ANSWER_TIMEOUT, shipped).await;
        // Where nobody takes it any more, nobody answers either.
        shipped.map_err(|_| failed(late("wait for other messages to be sent")))?.ok();
        match tokio::time::timeout(2 * ANSWER_TIMEOUT, answered).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(Box::new(NotSent { error: gone(), failed: Vec::new(), lost })),
            Err(_) => Err(failed(late("have messages confirmed"))),
        }
    }
}

/// Starts to publish what comes, on this connection; it ends when nobody can send any more.
pub(super) fn start(connection: &Arc<Connection>) -> mpsc::Sender<Shipment> {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    let receiver = Arc::new(Mutex::new(receiver));
    for _ in 0..CHANNELS {
        let outlet = Outlet { connection: Arc::clone(connection), channel: None };
        tokio::spawn(outlet.run(Arc::clone(&receiver)));
    }
    sender
}

/// Publishes on a channel of its own.
struct Outlet {
    connection: Arc<Connection>,
    channel: Option<Channel>,
}

impl Outlet {
    async fn run(mut self, receiver: Arc<Mutex<mpsc::Receiver<Shipment>>>) {
        loop {
            let mut together = Vec::new();
            let mut waiting = receiver.lock().await;
            let Some(first) = waiting.recv().await else { return };
            let mut messages = first.parcels.len();
            together.push(first);
            while messages < TOGETHER_MAX
                && let Ok(next) = waiting.try_recv()
            {
                messages += next.parcels.len();
                together.push(next);
            }
            drop(waiting);
            self.ship(together).await;
        }
    }

    /// Publishes what several callers have sent. What one of them gets wrong closes the channel for all of them: those
    /// that fail go out once more, each by itself.
    async fn ship(&mut self, shipments: Vec<Shipment>) {
        let all: Vec<Arc<Parcel>> =
            shipments.iter().flat_map(|shipment| &shipment.parcels).cloned().collect();
        let mut fates = self.publish(&all).await.into_iter();
        let is_one = shipments.len() == 1;
        let mut by_themselves = Vec::new();
        for mut shipment in shipments {
            let parcels = mem::take(&mut shipment.parcels);
            let fates: Vec<Result<(), BrokerError>> = fates.by_ref().take(parcels.len()).collect();
            match outcome(parcels.iter().zip(fates)) {
                Err(not_sent) if !is_one && not_sent.may_be_others_fault() => {
                    by_themselves.push(Shipment { parcels: not_sent.failed, ..shipment });
                }
                // Who does not wait any more does not want to know.
                answer => drop(shipment.answer.send(answer)),
            }
        }
        for shipment in by_themselves {
            let fates = self.publish(&shipment.parcels).await;
            drop(shipment.answer.send(outcome(shipment.parcels.iter().zip(fates))));
        }
    }

    /// What has become of each message.
    async fn publish(&mut self, parcels: &[Arc<Parcel>]) -> Vec<Result<(), BrokerError>> {
        let channel = match self.channel.take().filter(|channel| channel.status().connected()) {
            Some(channel) => channel,
            None => match confirming(&self.connection).await {
                Ok(channel) => channel,
                Err(error) => {
                    let rest = parcels.iter().skip(1).map(|_| Err(gone()));
                    return iter::once(Err(error)).chain(rest).collect();
                }
            },
        };
        let answers = confirm_all(&channel, parcels).await;
        if !answers.iter().any(|answer| matches!(answer, Err(BrokerError::TimedOut { .. }))) {
            self.channel = Some(channel);
        }
        let returned: BTreeSet<Route> =
            answers.iter().flatten().filter_map(|answer| answer.returned.clone()).collect();
        answers.into_iter().zip(parcels).map(|(answer, parcel)| parcel.fate(&answer?, &returned)).collect()
    }
}

impl NotSent {
    fn may_be_others_fault(&self) -> bool {
        !matches!(self.error, BrokerError::Lost { .. } | BrokerError::TimedOut { .. })
    }
}

/// What a caller is told.
fn outcome<'a>(
    fates: impl Iterator<Item = (&'a Arc<Parcel>, Result<(), BrokerError>)>,
) -> Result<(), Box<NotSent>> {
    let (mut failure, mut lost, mut failed) = (None, Vec::new(), Vec::new());
    for (parcel, fate) in fates {
        let Err(error) = fate else { continue };
        failed.push(Arc::clone(parcel));
        if matches!(error, BrokerError::Lost { .. }) {
            lost.push(Arc::clone(parcel));
        }
        // What the broker said about a message tells more than that the channel is gone since.
        if matches!(failure, None | Some(BrokerError::Lost { .. })) {
            failure = Some(error);
        }
    }
    failure.map_or(Ok(()), |error| Err(Box::new(NotSent { error, failed, lost })))
}

/// Publishes on a channel that nobody else uses; gives an answer for each message.
async fn confirm_all(channel: &Channel, parcels: &[Arc<Parcel>]) -> Vec<Result<Answer, BrokerError>> {
    let mut all = Vec::with_capacity(parcels.len());
    let sending: Vec<_> = parcels.iter().map(|parcel| parcel.confirmed(channel)).collect();
    // In the order of the parcels: those without an answer are the last ones.
    let mut answers = stream::iter(sending).buffered(UNCONFIRMED_MAX);
    let mut lost = pin!(lost(|| channel.status().connected()));
    while all.len() < parcels.len() {
        let answer = tokio::select! {
            biased;
            answer = tokio::time::timeout(ANSWER_TIMEOUT, answers.next()) => answer,
            () = &mut lost => {
                all.resize_with(parcels.len(), || Err(gone()));
                break;
            }
        };
        match answer {
            Ok(Some(answer)) => all.push(answer),
            Ok(None) => break,
            Err(_) => all.resize_with(parcels.len(), || Err(late("confirm a message"))),
        }
    }
    all
}

fn gone() -> BrokerError {
    BrokerError::Lost { doing: "have messages confirmed".to_owned(), source: None }
}

fn late(doing: &str) -> BrokerError {
    BrokerError::TimedOut { doing: doing.to_owned(), after: ANSWER_TIMEOUT }
}

impl Parcel {
    fn new(addressed: Addressed) -> Result<Self, BrokerError> {
        let Addressed { exchange, routing_key, message, rests } = addressed;
        Ok(Self {
            route: Route {
                exchange: short("exchange", &exchange)?,
                routing_key: short("routing key", &routing_key)?,
            },
            properties: wire::properties(&message, rests)?,
            body: message.body,
        })
    }

    async fn confirmed(&self, channel: &Channel) -> Result<Answer, BrokerError> {
        let Route { exchange, routing_key } = &self.route;
        let doing = || {
            let (exchange, routing_key) = (exchange.as_str(), routing_key.as_str());
            format!("publish to exchange {exchange:?} with routing key {routing_key:?}")
        };
        let written = channel.basic_publish(
            exchange.clone(),
            routing_key.clone(),
            BasicPublishOptions { mandatory: true, immediate: false },
            &self.body,
            self.properties.clone(),
        );
        let confirmation = written.await.map_err(|error| classified(&doing(), error))?;
        let (is_taken, returned) = match confirmation.await.map_err(|error| classified(&doing(), error))? {
            Confirmation::Ack(returned) => (true, returned),
            Confirmation::Nack(returned) => (false, returned),
            Confirmation::NotRequested => return Err(BrokerError::ConfirmsOff),
        };
        let returned = returned.map(|message| Route {
            exchange: message.delivery.exchange.clone(),
            routing_key: message.delivery.routing_key.clone(),
        });
        Ok(Answer { is_taken, returned })
    }

    /// What an answer means, beside what was returned of all that went out together.
    fn fate(&self, answer: &Answer, returned: &BTreeSet<Route>) -> Result<(), BrokerError> {
        let is_returned = returned.contains(&self.route);
        if answer.is_taken && !is_returned {
            return Ok(());
        }
        let (exchange, routing_key) = (self.route.exchange.to_string(), self.route.routing_key.to_string());
        Err(if is_returned {
            BrokerError::Unroutable { exchange, routing_key }
        } else {
            BrokerError::Refused { exchange, routing_key }
        })
    }
}
