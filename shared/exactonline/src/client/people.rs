//! Who is there: ourselves, and the users.

use std::sync::atomic::Ordering;

use jiff::SignedDuration;
use model::{Content, Properties, UserId};
use rust_decimal::prelude::ToPrimitive as _;
use store::Store;
use url::Url;

use super::{ExactOnline, call::Call};
use crate::{Error, Priority, odata};

/// Whose token it is, and where it works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    /// The user whose changes are ours.
    pub user: UserId,
    /// Their name, which is personal: for the person who gives consent, and for no log.
    pub name: Option<String>,
    /// The division that the user works in at present, which may be another than that of the connection.
    pub current_division: u64,
    /// How far the server's wall clock is ahead of UTC now.
    pub server_offset: SignedDuration,
}

/// A company that the user sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Division {
    /// Its number.
    pub code: u64,
    /// Its name.
    pub name: Option<String>,
}

impl<S: Store> ExactOnline<S> {
    /// Whose token it is. From then on records tell when they were changed, where `Modified` is asked for.
    pub async fn me(&self) -> Result<Me, Error> {
        let url = self.everywhere("current/Me", "$select=UserID,FullName,CurrentDivision,ServerUtcOffset");
        let body = self.perform(Call::everywhere(url, "current/Me")).await?;
        let properties = odata::first(&body)?;
        let missing =
            |property: &str| Error::Unexpected { what: format!("about the user has no {property}") };
        let user = odata::text(&properties, "UserID").and_then(|text| UserId::parse(text).ok());
        let offset = match properties.get("ServerUtcOffset") {
            Some(Content::Number(seconds)) => seconds.to_i64(),
            _ => None,
        };
        let offset =
            offset.filter(|seconds| seconds.abs() <= 86_400).ok_or_else(|| missing("ServerUtcOffset"))?;
        let me = Me {
            user: user.ok_or_else(|| missing("UserID"))?,
            name: filled(&properties, "FullName"),
            current_division: odata::integer(&properties, "CurrentDivision")
                .ok_or_else(|| missing("CurrentDivision"))?,
            server_offset: SignedDuration::from_secs(offset),
        };
        self.server_offset.store(offset, Ordering::Relaxed);
        Ok(me)
    }

    /// The companies that the user sees from within a division, which the consent must cover for that. Two addresses list
    /// them; which one a licence serves differs.
    pub async fn divisions(&self, within: u64) -> Result<Vec<Division>, Error> {
        match self.all_divisions(within, "system/Divisions").await {
            Err(Error::Refused { status: 404, .. } | Error::Forbidden { .. }) => {
                self.all_divisions(within, "hrm/Divisions").await
            }
            divisions => divisions,
        }
    }

    async fn all_divisions(&self, within: u64, endpoint: &str) -> Result<Vec<Division>, Error> {
        let mut divisions = Vec::new();
        let mut next = Some(self.everywhere(&format!("{within}/{endpoint}"), "$select=Code,Description"));
        while let Some(url) = next {
            let body = self.perform(Call::read(url, endpoint, Priority::Edit)).await?;
            let page = odata::page(&body)?;
            for raw in &page.records {
                let division = odata::properties(raw.get())?;
                let name = filled(&division, "Description");
                divisions.extend(odata::integer(&division, "Code").map(|code| Division { code, name }));
            }
            next = self.next(page.next)?;
        }
        Ok(divisions)
    }

    /// All users with their e-mail addresses as Exact writes them. Two addresses list them; which one a licence
    /// serves differs.
    pub async fn users(&self) -> Result<Vec<(UserId, Option<String>)>, Error> {
        let query = "$select=UserID,Email";
        let here = self.in_division("users/Users", query);
        match self.all_users(here, "users/Users").await {
            Err(Error::Refused { status: 404, .. } | Error::Forbidden { .. }) => {
                self.all_users(self.everywhere("system/Users", query), "system/Users").await
            }
            users => users,
        }
    }

    /// Whether the user may read an endpoint, such as `crm/Accounts`; `None` where Exact does not tell. A user without
    /// the right is given an empty list (a fact of this API), so it is to be asked before emptiness is believed.
    pub async fn may_read(&self, endpoint: &str) -> Result<Option<bool>, Error> {
        const ASKED: &str = "users/UserHasRights";
        let url = self.in_division(ASKED, &format!("endpoint='{endpoint}'&action='GET'"));
        match self.perform(Call::read(url, ASKED, Priority::Read)).await {
            Ok(body) => Ok(match odata::first(&body)?.get("UserHasRights") {
                Some(Content::Boolean(may)) => Some(*may),
                _ => None,
            }),
            Err(Error::Refused { status: 404, .. } | Error::Forbidden { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn all_users(&self, mut url: Url, endpoint: &str) -> Result<Vec<(UserId, Option<String>)>, Error> {
        let mut users = Vec::new();
        loop {
            let call = match endpoint {
                "users/Users" => Call::read(url, endpoint, Priority::Read),
                _ => Call::everywhere(url, endpoint),
            };
            let body = self.perform(call).await?;
            let page = odata::page(&body)?;
            for raw in &page.records {
                let user = odata::properties(raw.get())?;
                let email = filled(&user, "Email");
                users.extend(
                    odata::text(&user, "UserID").and_then(|id| UserId::parse(id).ok()).map(|id| (id, email)),
                );
            }
            match self.next(page.next)? {
                Some(next) => url = next,
                None => return Ok(users),
            }
        }
    }
}

/// A text that is not empty.
fn filled(properties: &Properties, name: &str) -> Option<String> {
    odata::text(properties, name).filter(|text| !text.is_empty()).map(str::to_owned)
}
