//! The first consent, and any later one: the address that a person opens, and the answer that Exact sends them back
//! with. Pure.
//!
//! Facts of this API: the answer is a redirect to the address that is registered with the app, with a code in it that
//! is percent-encoded, serves once and lives for three minutes.

use secrecy::SecretString;
use url::{Url, form_urlencoded};

#[cfg(test)]
mod tests;

/// Characters of Exact's own words that an error shows.
const WORDS_MAX: usize = 300;
/// A code has some fifty characters; what is much longer is something else.
const CODE_BYTES_MAX: usize = 4_096;

/// What a person is asked for, and what tells its answer from any other.
pub struct Consent {
    url: Url,
    state: String,
}

/// A code that stands for a consent until it is exchanged for a grant.
pub struct Code(pub(crate) SecretString);

/// Why an answer brings no code. No message holds a code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConsentError {
    /// The person did not agree, or Exact did not let them.
    #[error("Exact Online gave no consent ({words}); ask again, and agree there as a user who may")]
    Denied {
        /// What Exact Online said.
        words: String,
    },
    /// The answer is that of another question.
    #[error(
        "this is not the answer to this question, because its state is another one: copy the address that Exact Online \
         redirected to last, or ask again"
    )]
    OtherState,
    /// It is nothing that Exact sends anybody back with.
    #[error(
        "this is neither the address that Exact Online redirected to nor the code in it; copy the whole address out \
         of the browser, with everything after the question mark"
    )]
    NoAnswer,
}

impl Consent {
    /// Asks for a consent to the app `client_id` on a country's site, to be answered at `redirect_uri`, which is written
    /// as it is registered with the app. The `state` must be one that nobody can guess.
    ///
    /// The address holds the parameters that Exact documents and no others. The person is asked to log in even if their
    /// browser is logged in already: whose consent it is must be no accident.
    pub fn ask(site: &Url, client_id: &str, redirect_uri: &str, state: &str) -> Self {
        let mut url = site.clone();
        url.set_path("/api/oauth2/auth");
        url.query_pairs_mut()
            .clear()
            .append_pair("client_id", client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("response_type", "code")
            .append_pair("state", state)
            .append_pair("force_login", "1");
        Self { url, state: state.to_owned() }
    }

    /// The address that the person opens in a browser.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Reads what a person pasted: the whole address that Exact redirected to, with or without its beginning, or the
    /// code alone, still encoded or not. The state is checked if it is there.
    pub fn pasted(&self, text: &str) -> Result<Code, ConsentError> {
        let text = text.trim().trim_matches(['"', '\'']);
        match text.split_once('?') {
            Some((_, query)) => self.answered(query, false),
            None => code(&decoded(text)),
        }
    }

    /// Reads the query of a request to the redirect address. Anybody can make one, so the state must be there.
    pub fn redirected(&self, query: &str) -> Result<Code, ConsentError> {
        self.answered(query, true)
    }

    fn answered(&self, query: &str, needs_state: bool) -> Result<Code, ConsentError> {
        let query = query.split('#').next().unwrap_or_default();
        let value = |name: &str| {
            form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value)
        };
        match value("state") {
            Some(state) if state == self.state => {}
            None if !needs_state => {}
            _ => return Err(ConsentError::OtherState),
        }
        if let Some(error) = value("error") {
            let words = match value("error_description") {
                Some(description) => format!("{error}: {description}"),
                None => error.into_owned(),
            };
            // It goes to a terminal.
            let words = words.chars().filter(|character| !character.is_control()).take(WORDS_MAX).collect();
            return Err(ConsentError::Denied { words });
        }
        code(&value("code").unwrap_or_default())
    }
}

/// Whether it can be a code: what else is pasted by mistake should not cost a call that is bound to be refused.
fn code(text: &str) -> Result<Code, ConsentError> {
    let is_of_code = |byte: u8| byte.is_ascii_graphic() && !b"/:&?<>\"'".contains(&byte);
    if text.is_empty() || text.len() > CODE_BYTES_MAX || !text.bytes().all(is_of_code) {
        return Err(ConsentError::NoAnswer);
    }
    Ok(Code(text.into()))
}

/// A code without its percent signs. A plus stays one, other than in a query.
fn decoded(code: &str) -> String {
    let pair = code.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(pair.as_bytes()).next().map(|(code, _)| code.into_owned()).unwrap_or_default()
}
