use std::mem;
use std::pin::pin;

use futures_util::StreamExt;
use futures_util::stream;
use lapin::options::BasicPublishOptions;
use lapin::types::ShortString;
use lapin::{BasicProperties, Channel, Confirmation};

use super::session::{classified, lost, short};
use super::{ANSWER_TIMEOUT, Shared, wire};
use crate::BrokerError;
use crate::message::Addressed;

/// How many messages of one call may await their confirmation at once.
const UNCONFIRMED_MAX: usize = 1_000;

/// A message that is ready to go out, as often as it takes.
struct Parcel {
    exchange: ShortString,
    routing_key: ShortString,
    properties: BasicProperties,
    body: Vec<u8>,
}

impl Shared {
    /// Publishes messages. When the connection is lost on the way, those that were not confirmed go out once more
    /// on a new one.
    pub(super) async fn send(&self, messages: Vec<Addressed>) -> Result<(), BrokerError> {
        let parcels: Vec<Parcel> = messages.into_iter().map(Parcel::new).collect::<Result<_, _>>()?;
        if parcels.is_empty() {
            return Ok(());
        }
        let mut unconfirmed: Vec<&Parcel> = parcels.iter().collect();
        match self.send_once(&mut unconfirmed).await {
            Err(BrokerError::Lost { .. }) => self.send_once(&mut unconfirmed).await,
            other => other,
        }
    }

    /// Leaves in `unconfirmed` what was under way when the connection was lost.
    async fn send_once(&self, unconfirmed: &mut Vec<&Parcel>) -> Result<(), BrokerError> {
        let permit = tokio::time::timeout(ANSWER_TIMEOUT, self.publishers.acquire());
        let _permit = permit.await.map_err(|_| late("wait for another publish to end"))?;
        let session = self.session().await?;
        if session.blocked() {
            return Err(BrokerError::Blocked);
        }
        let channel = session.publisher().await?;
        let outcome = confirm_all(&channel, unconfirmed).await;
        if !matches!(outcome, Err(BrokerError::TimedOut { .. })) {
            session.give_back(channel);
        }
        outcome
    }
}

/// Publishes on a channel that nobody else uses; leaves in `unconfirmed` what was under way when it was lost.
async fn confirm_all(channel: &Channel, unconfirmed: &mut Vec<&Parcel>) -> Result<(), BrokerError> {
    let parcels = mem::take(unconfirmed);
    let sending: Vec<_> = parcels.iter().map(|parcel| parcel.confirmed(channel)).collect();
    // In the order of the parcels: those without an answer are the last ones.
    let mut answers = stream::iter(sending).buffered(UNCONFIRMED_MAX);
    let mut lost = pin!(lost(|| channel.status().connected()));
    let mut failure = None;
    for (number, parcel) in parcels.iter().enumerate() {
        let answer = tokio::select! {
            biased;
            answer = tokio::time::timeout(ANSWER_TIMEOUT, answers.next()) => answer,
            () = &mut lost => {
                unconfirmed.extend(&parcels[number..]);
                let doing = "have messages confirmed".to_owned();
                failure.get_or_insert(BrokerError::Lost { doing, source: None });
                break;
            }
        };
        match answer.map_err(|_| late("confirm a message"))? {
            None | Some(Ok(())) => {}
            Some(Err(error)) => {
                if matches!(error, BrokerError::Lost { .. }) {
                    unconfirmed.push(parcel);
                }
                // What the broker said about a message tells more than that the channel is gone since.
                if matches!(failure, None | Some(BrokerError::Lost { .. })) {
                    failure = Some(error);
                }
            }
        }
    }
    failure.map_or(Ok(()), Err)
}

fn late(doing: &str) -> BrokerError {
    BrokerError::TimedOut { doing: doing.to_owned(), after: ANSWER_TIMEOUT }
}

impl Parcel {
    fn new(addressed: Addressed) -> Result<Self, BrokerError> {
        let Addressed { exchange, routing_key, message, rests } = addressed;
        Ok(Self {
            exchange: short("exchange", &exchange)?,
            routing_key: short("routing key", &routing_key)?,
            properties: wire::properties(&message, rests)?,
            body: message.body,
        })
    }

    async fn confirmed(&self, channel: &Channel) -> Result<(), BrokerError> {
        let doing = || {
            format!(
                "publish to exchange {:?} with routing key {:?}",
                self.exchange.as_str(),
                self.routing_key.as_str()
            )
        };
        let written = channel.basic_publish(
            self.exchange.clone(),
            self.routing_key.clone(),
            BasicPublishOptions { mandatory: true, immediate: false },
            &self.body,
            self.properties.clone(),
        );
        let confirmation = written.await.map_err(|error| classified(&doing(), error))?;
        match confirmation.await.map_err(|error| classified(&doing(), error))? {
            Confirmation::Ack(None) => Ok(()),
            Confirmation::Ack(Some(returned)) | Confirmation::Nack(Some(returned)) => {
                Err(BrokerError::Unroutable {
                    exchange: returned.delivery.exchange.to_string(),
                    routing_key: returned.delivery.routing_key.to_string(),
                })
            }
            Confirmation::Nack(None) => Err(BrokerError::Refused {
                exchange: self.exchange.to_string(),
                routing_key: self.routing_key.to_string(),
            }),
            Confirmation::NotRequested => Err(BrokerError::ConfirmsOff),
        }
    }
}
