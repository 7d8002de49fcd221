//! One notification, judged by its raw bytes.

use hmac::{Hmac, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use crate::Entity;

#[cfg(test)]
mod tests;

/// The largest body that is looked at. A notification has a few hundred bytes.
pub const NOTIFICATION_BYTES_MAX: usize = 64 * 1024;

/// Characters of a topic that an error shows.
const TOPIC_SHOWN: usize = 40;

/// "Something happened to a record of this kind", by someone who knows the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notification {
    /// The entity whose feed shows it.
    pub entity: Entity,
    /// Whether it is about a line of a document, and not about its header.
    pub is_of_line: bool,
    /// What happened.
    pub action: Action,
}

/// What happened to a record. Exact may tell the creation of one as an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It was made.
    Create,
    /// It was changed.
    Update,
    /// It is gone.
    Delete,
}

/// Why a body is no notification for this connection. No message holds anything of an unsigned body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotificationError {
    /// It is larger than any notification.
    #[error("the body is larger than {NOTIFICATION_BYTES_MAX} bytes, and no notification is")]
    TooLarge,
    /// It is not UTF-8.
    #[error("the body is no text")]
    NotText,
    /// It is no JSON object with one `Content` and one `HashCode`.
    #[error("the body is no JSON object with one Content and one HashCode")]
    NotANotification,
    /// Its hash is not that of its content under our secret.
    #[error(
        "the HashCode is not that of the Content; if Exact Online sent it, the webhook secret is not the one that \
             the app has in Exact's App Center"
    )]
    Forged,
    /// It is signed, and its content lacks something that every notification has.
    #[error("the Content lacks a Topic, a Division or an Action")]
    Incomplete,
    /// It is about another division.
    #[error("it is about division {division}, which is not that of this connection")]
    OtherDivision {
        /// That division.
        division: u64,
    },
    /// It is about something that is not kept.
    #[error("it is about {topic}, which no pair keeps")]
    OtherTopic {
        /// Exact's name for it.
        topic: String,
    },
    /// What happened is nothing that is known.
    #[error("it tells of an Action that is neither Create nor Update nor Delete")]
    UnknownAction,
}

impl NotificationError {
    /// Whether whoever sent it knows the secret. Exact repeats what is refused for a day and a half, so that it is told
    /// to be well, and ignored.
    pub const fn is_authentic(&self) -> bool {
        match self {
            Self::TooLarge | Self::NotText | Self::NotANotification | Self::Forged => false,
            Self::Incomplete | Self::OtherDivision { .. } | Self::OtherTopic { .. } | Self::UnknownAction => {
                true
            }
        }
    }
}

/// `Content` stays as it came, byte for byte: a rendition of our own could differ from what was signed. Of a key that
/// is there twice nobody can say which one was meant, so that it is refused.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "Content", borrow)]
    content: &'a RawValue,
    #[serde(rename = "HashCode")]
    hash_code: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    topic: String,
    division: u64,
    action: String,
    exact_online_endpoint: Option<String>,
}

impl Notification {
    /// Judges a body as it came: first whether it is signed with the secret, then what it says, and whether that is
    /// about this division and an entity of ours.
    pub fn judge(body: &[u8], secret: &SecretString, division: u32) -> Result<Self, NotificationError> {
        if body.len() > NOTIFICATION_BYTES_MAX {
            return Err(NotificationError::TooLarge);
        }
        let body = std::str::from_utf8(body).map_err(|_| NotificationError::NotText)?;
        let envelope: Envelope<'_> =
            serde_json::from_str(body).map_err(|_| NotificationError::NotANotification)?;
        if !is_signed(envelope.content.get(), &envelope.hash_code, secret) {
            return Err(NotificationError::Forged);
        }
        let content: Content =
            serde_json::from_str(envelope.content.get()).map_err(|_| NotificationError::Incomplete)?;
        content.meant(division)
    }
}

/// HMAC-SHA256 in hexadecimal capitals (a fact of this API), compared in constant time.
fn is_signed(content: &str, hash_code: &str, secret: &SecretString) -> bool {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
        .expect("a key of any length makes an HMAC");
    mac.update(content.as_bytes());
    let expected = hex::encode_upper(mac.finalize().into_bytes());
    expected.as_bytes().ct_eq(hash_code.as_bytes()).into()
}

impl Content {
    fn meant(self, division: u32) -> Result<Notification, NotificationError> {
        if self.division != u64::from(division) {
            return Err(NotificationError::OtherDivision { division: self.division });
        }
        let Some(entity) = Entity::with_topic(&self.topic) else {
            return Err(NotificationError::OtherTopic {
                topic: self.topic.chars().take(TOPIC_SHOWN).collect(),
            });
        };
        // The reference shows them in two spellings.
        let action = match self.action.to_ascii_lowercase().as_str() {
            "create" => Action::Create,
            "update" => Action::Update,
            "delete" => Action::Delete,
            _ => return Err(NotificationError::UnknownAction),
        };
        let endpoint = self.exact_online_endpoint.unwrap_or_default().to_ascii_lowercase();
        let resource = endpoint.split('(').next().unwrap_or_default();
        let is_of_line = entity.has_lines()
            && entity
                .parts
                .is_some_and(|parts| resource.ends_with(&parts.resource.path.to_ascii_lowercase()));
        Ok(Notification { entity, is_of_line, action })
    }
}
