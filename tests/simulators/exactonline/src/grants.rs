//! Consents and tokens: authorization codes, single-use refresh tokens, access tokens of ten minutes.
//! Times are milliseconds since 1970, UTC.

use std::collections::HashMap;

use uuid::Uuid;

use crate::settings::{Limits, Switches};

const CODE_LIFE: i64 = 3 * 60_000;
const DAY: i64 = 24 * 3_600_000;

#[derive(Debug)]
struct Code {
    user: Uuid,
    redirect_uri: String,
    issued_at: i64,
}

#[derive(Debug)]
struct Refresh {
    user: Uuid,
    issued_at: i64,
    /// When the access token that came with it was issued; a consent made by the control API has none.
    access_issued_at: Option<i64>,
    spent: bool,
}

#[derive(Debug)]
struct Access {
    user: Uuid,
    /// `None` for a human's token, which does not end and is not of the app.
    ends_at: Option<i64>,
}

/// What a bearer token stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bearer {
    /// The app, acting for its user.
    App(Uuid),
    /// A person.
    Human(Uuid),
    /// The app, with a token that has ended.
    Ended(Uuid),
    /// No token that was ever given out.
    Unknown,
}

/// Why a token call is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenRefusal {
    /// Malformed, unknown or reused: told without a reason.
    Invalid,
    /// The refresh token was used before or was revoked.
    Spent,
    /// The refresh token's life is over.
    Expired { ended_at: i64 },
    /// The previous access token still lives too long.
    TooEarly,
}

/// A fresh pair of tokens.
#[derive(Debug)]
pub(crate) struct Tokens {
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
}

/// All codes and tokens ever given out.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    codes: HashMap<String, Code>,
    refreshes: HashMap<String, Refresh>,
    accesses: HashMap<String, Access>,
}

impl Grants {
    /// A code for a user who consented just now.
    pub(crate) fn authorize(&mut self, user: Uuid, redirect_uri: &str, now: i64) -> String {
        let code = format!("stampNL001.{}!{}", random(24), random(8));
        let redirect_uri = redirect_uri.to_owned();
        self.codes.insert(code.clone(), Code { user, redirect_uri, issued_at: now });
        code
    }

    /// A refresh token of a fresh consent, which may be used at once.
    pub(crate) fn grant(&mut self, user: Uuid, now: i64) -> String {
        let token = format!("stampNL001.{}", random(150));
        let refresh = Refresh { user, issued_at: now, access_issued_at: None, spent: false };
        self.refreshes.insert(token.clone(), refresh);
        token
    }

    /// A token with which a person works by themselves.
    pub(crate) fn human_token(&mut self, user: Uuid) -> String {
        let token = format!("human.{}", random(24));
        self.accesses.insert(token.clone(), Access { user, ends_at: None });
        token
    }

    /// Voids every token of the app.
    pub(crate) fn revoke(&mut self) {
        for refresh in self.refreshes.values_mut() {
            refresh.spent = true;
        }
        self.end_access_tokens();
        self.codes.clear();
    }

    fn end_access_tokens(&mut self) {
        for access in self.accesses.values_mut() {
            access.ends_at = access.ends_at.map(|_| i64::MIN);
        }
    }

    /// Who the bearer of a token is.
    pub(crate) fn bearer(&self, token: &str, now: i64) -> Bearer {
        match self.accesses.get(token) {
            None => Bearer::Unknown,
            Some(Access { user, ends_at: None }) => Bearer::Human(*user),
            Some(Access { user, ends_at: Some(end) }) if now < *end => Bearer::App(*user),
            Some(access) => Bearer::Ended(access.user),
        }
    }

    /// The refresh tokens that were given out and neither used nor revoked.
    pub(crate) fn unused_refresh_tokens(&self) -> Vec<String> {
        self.refreshes.iter().filter(|(_, refresh)| !refresh.spent).map(|(token, _)| token.clone()).collect()
    }

    /// The user whose consent a refresh token carries.
    pub(crate) fn user_of_refresh(&self, token: &str) -> Option<Uuid> {
        self.refreshes.get(token).map(|refresh| refresh.user)
    }

    /// The user whose consent a code carries.
    pub(crate) fn user_of_code(&self, code: &str) -> Option<Uuid> {
        self.codes.get(code).map(|code| code.user)
    }

    /// Exchanges a code, once, for the first tokens.
    pub(crate) fn exchange(
        &mut self,
        code: &str,
        redirect_uri: &str,
        now: i64,
        limits: &Limits,
    ) -> Result<Tokens, TokenRefusal> {
        let code = self.codes.remove(code).ok_or(TokenRefusal::Invalid)?;
        if code.redirect_uri != redirect_uri || now - code.issued_at > CODE_LIFE {
            return Err(TokenRefusal::Invalid);
        }
        Ok(self.issue(code.user, now, limits))
    }

    /// Spends a refresh token for the next tokens.
    pub(crate) fn refresh(
        &mut self,
        token: &str,
        now: i64,
        limits: &Limits,
        switches: &Switches,
    ) -> Result<Tokens, TokenRefusal> {
        let refresh = self.refreshes.get_mut(token).ok_or(TokenRefusal::Invalid)?;
        if refresh.spent {
            return Err(TokenRefusal::Spent);
        }
        let ended_at = refresh.issued_at + DAY * i64::from(limits.refresh_token_days);
        if now >= ended_at {
            return Err(TokenRefusal::Expired { ended_at });
        }
        let not_before = i64::from(limits.refresh_not_before_seconds) * 1_000;
        if refresh.access_issued_at.is_some_and(|issued| now - issued < not_before) {
            return Err(TokenRefusal::TooEarly);
        }
        refresh.spent = true;
        let user = refresh.user;
        if switches.single_access_token {
            self.end_access_tokens();
        }
        Ok(self.issue(user, now, limits))
    }

    fn issue(&mut self, user: Uuid, now: i64, limits: &Limits) -> Tokens {
        // Longer than what a narrow column would hold, as the service's tokens are.
        let access_token = format!("stampNL001.{}", random(450));
        let ends_at = now + i64::from(limits.access_token_seconds) * 1_000;
        self.accesses.insert(access_token.clone(), Access { user, ends_at: Some(ends_at) });
        let refresh_token = self.grant(user, now);
        if let Some(refresh) = self.refreshes.get_mut(&refresh_token) {
            refresh.access_issued_at = Some(now);
        }
        Tokens { access_token, refresh_token }
    }
}

/// Random text of twice as many characters as bytes.
fn random(bytes: usize) -> String {
    let mut buffer = vec![0; bytes];
    ambient::fill(&mut buffer);
    hex::encode(buffer)
}
