//! Signatures of the Standard Webhooks specification, version `v1`.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

/// The values of `webhook-signature`.
pub(crate) const SIGNATURE_PATTERN: &str = "^v1,[A-Za-z0-9+/]{43}=$";
const PREFIX: &str = "whsec_";
/// How many bytes the specification allows.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;

/// What notifications are signed with.
#[derive(Clone)]
pub(super) struct Secret(Vec<u8>);

impl Secret {
    /// Reads `whsec_<base64>`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.strip_prefix(PREFIX)?).ok()?;
        LENGTHS.contains(&bytes.len()).then_some(Self(bytes))
    }

    /// Another secret, always the same one.
    pub(super) fn another(&self) -> Self {
        Self(Sha256::digest(&self.0).to_vec())
    }

    /// The value of `webhook-signature`.
    pub(super) fn sign(&self, id: &str, timestamp: i64, body: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of any length makes an HMAC");
        mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    const KNOWN: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    #[test]
    fn a_known_notification_has_its_known_signature() {
        let secret = Secret::parse(KNOWN).unwrap();
        let signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_has_24_to_64_bytes_and_its_prefix() {
        for refused in [&KNOWN["whsec_".len()..], "whsec_", "whsec_c2hvcnQ=", "whsec_!", &KNOWN[..37]] {
            assert!(Secret::parse(refused).is_none(), "{refused}");
        }
        assert_eq!(format!("{:?}", Secret::parse(KNOWN)), "Some(Secret)", "it is never printed");
    }
}
