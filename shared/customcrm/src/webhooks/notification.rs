//! One notification, judged by its headers and its raw bytes.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use jiff::{SignedDuration, Timestamp};
use model::EntityName;
use reqwest::header::{HeaderMap, HeaderName};
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use serde_json::Value;
use sha2::Sha256;

use crate::path::Path;

use super::declaration::{Encoding, Signature, Tells, Webhooks, WebhooksProblem};

#[cfg(test)]
mod tests;

/// The largest body that is looked at. Standard Webhooks asks senders to stay below 20 kB.
pub const NOTIFICATION_BYTES_MAX: usize = 64 * 1024;
/// How far the moment of sending may be from ours, either way.
pub const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// Headers of Standard Webhooks.
const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
/// What a secret of Standard Webhooks begins with.
const SECRET_PREFIX: &str = "whsec_";
/// The fewest bytes of such a secret, as that specification has it.
const SECRET_BYTES_MIN: usize = 24;
/// Bytes of an id of a notification, at most: it is remembered.
const ID_BYTES_MAX: usize = 256;
/// Signatures of one notification that are looked at. There is more than one while a secret is being replaced.
const SIGNATURES_MAX: usize = 8;
/// Characters of what a body says that are shown.
const SHOWN: usize = 40;

/// Says what a post to the address of the webhooks is.
#[derive(Debug)]
pub struct NotificationJudge {
    webhooks: Webhooks,
    key: SecretSlice<u8>,
}

/// "Something changed there", by someone who knows the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// What it tells of.
    pub told_of: ToldOf,
    /// Whether it tells that something is gone.
    pub is_deletion: bool,
    /// Which one it is; `None` where nothing tells it from another one.
    pub delivery: Option<Delivery>,
    /// The record, as far as the body says. For logs only: at most 40 characters, and of any kind.
    pub record: Option<String>,
}

/// What a notification tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToldOf {
    /// Something changed somewhere.
    Everything,
    /// A record of this collection was made, changed or deleted.
    Collection(EntityName),
}

/// One attempt to deliver one notification. Who repeats an attempt that failed signs it anew, at another moment; so the
/// same attempt comes twice only when somebody replays it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The notification's own id, the same for all attempts.
    pub id: String,
    /// When the attempt was made.
    pub at: Timestamp,
}

/// Why a post is no notification for this connection. No message holds anything of an unsigned body or header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotificationError {
    /// It is larger than any notification.
    #[error("the body is larger than {NOTIFICATION_BYTES_MAX} bytes, and no notification is")]
    TooLarge,
    /// A header that every notification has is missing, there twice, or not of its form.
    #[error("the post has not one well-formed header {header}, which every notification has")]
    Unsigned {
        /// The header.
        header: HeaderName,
    },
    /// No signature of it is one under our secret.
    #[error(
        "no signature is that of the post; if CustomCRM sent it, the webhook secret is not the one that CustomCRM \
             signs with"
    )]
    Forged,
    /// It is signed, and was sent too long ago, or will be.
    #[error(
        "it was sent more than {} minutes from now; if CustomCRM sent it just now, set the clocks of both machines",
        TOLERANCE.as_mins()
    )]
    Late,
    /// It is signed, and its body does not say what happened where the declaration says that it does.
    #[error("the body is no JSON with a text where the declaration says that the type stands")]
    Incomplete,
    /// It is signed, and tells of something that the declaration does not name.
    #[error("it tells of {kind:?}, which the declaration names under no collection")]
    OtherType {
        /// The type, at most 40 characters of it.
        kind: String,
    },
}

impl NotificationError {
    /// Whether it was sent just now by someone who knows the secret. Who repeats what is refused is told that all is
    /// well, and ignored.
    pub const fn is_authentic(&self) -> bool {
        match self {
            Self::TooLarge | Self::Unsigned { .. } | Self::Forged | Self::Late => false,
            Self::Incomplete | Self::OtherType { .. } => true,
        }
    }
}

impl NotificationJudge {
    /// Judges by this secret. Fails where it is none of the kind that the scheme has.
    pub fn new(webhooks: Webhooks, secret: &SecretString) -> Result<Self, WebhooksProblem> {
        let key = match webhooks.signature {
            Signature::Standard => standard_key(secret)?,
            Signature::Hmac { .. } => secret.expose_secret().as_bytes().to_vec(),
        };
        Ok(Self { webhooks, key: key.into() })
    }

    /// Judges a post as it came: first whether it is signed with the secret, then whether it was sent just now, then what
    /// it tells of. Whether the same delivery came before, only a memory can say.
    pub fn judge(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Notification, NotificationError> {
        if body.len() > NOTIFICATION_BYTES_MAX {
            return Err(NotificationError::TooLarge);
        }
        let delivery = match &self.webhooks.signature {
            Signature::Standard => Some(self.standard(headers, body, now)?),
            Signature::Hmac { header, encoding, prefix } => {
                self.hmac(one(headers, header)?, *encoding, prefix, body)?;
                None
            }
        };
        let said = serde_json::from_slice(body).unwrap_or(Value::Null);
        let (told_of, is_deletion) = match &self.webhooks.tells {
            Tells::OfEverything => (ToldOf::Everything, false),
            Tells::ByType { at, types, deletions } => {
                let kind = at.find_in(&said).and_then(Value::as_str).ok_or(NotificationError::Incomplete)?;
                let collection = types.collection(kind);
                let other = || NotificationError::OtherType { kind: shown(kind) };
                let is_deletion = deletions.iter().any(|pattern| pattern.fits(kind));
                (ToldOf::Collection(collection.ok_or_else(other)?.clone()), is_deletion)
            }
        };
        let record = self.webhooks.id_at.as_ref().and_then(|at| record(at, &said));
        Ok(Notification { told_of, is_deletion, delivery, record })
    }

    fn standard(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Delivery, NotificationError> {
        let unsigned = |header| move || NotificationError::Unsigned { header };
        let id = one(headers, &ID)?;
        if id.is_empty() || id.len() > ID_BYTES_MAX {
            return Err(unsigned(ID)());
        }
        let (sent, signatures) = (one(headers, &TIMESTAMP)?, one(headers, &SIGNATURE)?);
        let seconds = sent.parse().ok().filter(|_| sent.bytes().all(|byte| byte.is_ascii_digit()));
        let at = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
        let at = at.ok_or_else(unsigned(TIMESTAMP))?;
        let mut signatures = signatures
            .split(' ')
            .filter_map(|signature| STANDARD.decode(signature.strip_prefix("v1,")?).ok())
            .take(SIGNATURES_MAX);
        let content = [id.as_bytes(), b".", sent.as_bytes(), b".", body];
        if !signatures.any(|signature| self.is_signed(&content, &signature)) {
            return Err(NotificationError::Forged);
        }
        if now.duration_since(at).abs() > TOLERANCE {
            return Err(NotificationError::Late);
        }
        Ok(Delivery { id: id.to_owned(), at })
    }

    fn hmac(
        &self,
        written: &str,
        encoding: Encoding,
        prefix: &str,
        body: &[u8],
    ) -> Result<(), NotificationError> {
        let signature = written.strip_prefix(prefix).and_then(|signature| match encoding {
            Encoding::Hex => hex::decode(signature).ok(),
            Encoding::Base64 => STANDARD.decode(signature).ok(),
        });
        let is_signed = signature.is_some_and(|signature| self.is_signed(&[body], &signature));
        if is_signed { Ok(()) } else { Err(NotificationError::Forged) }
    }

    /// HMAC-SHA256, compared in constant time.
    fn is_signed(&self, content: &[&[u8]], signature: &[u8]) -> bool {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.expose_secret())
            .expect("a key of any length makes an HMAC");
        for part in content {
            mac.update(part);
        }
        mac.verify_slice(signature).is_ok()
    }
}

impl fmt::Display for Delivery {
    /// In a form that no other delivery has.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.id, self.at.as_second())
    }
}

fn standard_key(secret: &SecretString) -> Result<Vec<u8>, WebhooksProblem> {
    let problem = |what: &str| WebhooksProblem {
        key: "webhooks.secret_file".to_owned(),
        what: what.to_owned(),
        remedy: "put the secret there as CustomCRM shows it: whsec_ and at least 24 random bytes in Base64"
            .to_owned(),
    };
    let key = secret.expose_secret().strip_prefix(SECRET_PREFIX);
    let key = key.ok_or_else(|| problem("holds a secret that does not begin with whsec_"))?;
    let key = STANDARD.decode(key).map_err(|_| problem("holds a secret that is not in Base64"))?;
    if key.len() < SECRET_BYTES_MIN {
        return Err(problem("holds a secret that is shorter than Standard Webhooks allows"));
    }
    Ok(key)
}

/// The header, if it is there once. Of one that is there twice nobody can say which one was meant.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a str, NotificationError> {
    let mut all = headers.get_all(name).iter();
    let text = match (all.next(), all.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    };
    text.ok_or_else(|| NotificationError::Unsigned { header: name.clone() })
}

fn record(at: &Path, body: &Value) -> Option<String> {
    match at.find_in(body)? {
        Value::String(text) => Some(shown(text)),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}
