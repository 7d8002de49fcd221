//! What the person at the terminal reads.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use exactonline::{Division, Error, ExactOnline, Me};
use model::ConnectionName;
use store::Store;
use url::Url;

/// Where a grant is when the command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// In the file and in the store.
    InBoth,
    /// In the file: a Tandem that runs has the store open.
    InFile,
}

/// Says what to open, and how the answer comes back.
pub(super) fn question(
    connection: &ConnectionName,
    question: &Url,
    redirect_uri: &str,
    listens: Option<SocketAddr>,
) -> String {
    let mut text = format!(
        "Consent of Exact Online for the connection {connection}\n\n\
         1. Open this address in a browser, log in as the user that Tandem works as, and agree:\n\n   {question}\n\n"
    );
    let told = match listens {
        None => writeln!(
            text,
            "2. You are sent to {redirect_uri}; whatever the page shows, copy its whole address,\n   \
             paste it here and press Enter. It serves for three minutes.\n"
        ),
        Some(listens) => writeln!(
            text,
            "2. You are sent to {redirect_uri}, which must lead to {listens} here.\n   \
             If it does not, paste the whole address of that page here within three minutes.\n"
        ),
    };
    told.expect("writing to a text never fails");
    text
}

/// Says where the grant is.
pub(super) fn kept(connection: &ConnectionName, file: &Path, kept: Kept) -> String {
    let file = file.display();
    match kept {
        Kept::InBoth => format!("The grant of {connection} is kept in {file} and in the store.\n"),
        Kept::InFile => format!(
            "The grant of {connection} is kept in {file}; the Tandem that runs takes it into its store\n\
             from there, before it uses it.\n"
        ),
    }
}

/// What a grant shows of itself.
pub(super) struct Seen {
    me: Me,
    /// That of the configuration.
    division: u64,
    divisions: Vec<Division>,
    /// What Exact said when it was asked within the configured division.
    refused: Option<Error>,
}

impl Seen {
    /// Tries a grant. The companies are listed from within the configured one, which shows that it may be used; and else
    /// from within the one that the user works in at present.
    pub(super) async fn by<S: Store>(client: &ExactOnline<S>, division: u64) -> Result<Self, Error> {
        let me = client.me().await?;
        let (divisions, refused) = match client.divisions(division).await {
            Ok(divisions) => (divisions, None),
            Err(error) if is_no_access(&error) => {
                let others = match client.divisions(me.current_division).await {
                    Err(error) if is_no_access(&error) => Vec::new(),
                    others => others?,
                };
                (others, Some(error))
            }
            Err(error) => return Err(error),
        };
        Ok(Self { me, division, divisions, refused })
    }

    /// The user, and the companies that they see.
    pub(super) fn told(&self) -> String {
        let name = self.me.name.as_deref().unwrap_or("(without a name)");
        let mut text = format!(
            "User: {name}, who works in division {} at present\nDivisions of this user:\n",
            self.me.current_division
        );
        for division in &self.divisions {
            let name = division.name.as_deref().unwrap_or_default();
            let mark = if division.code == self.division { "  <- configured" } else { "" };
            let line = writeln!(text, "{:>10}  {name}{mark}", division.code);
            line.expect("writing to a text never fails");
        }
        if self.divisions.is_empty() {
            text.push_str("      none that Exact Online shows\n");
        }
        text
    }

    /// What is wrong, if the grant does not serve for the configured division.
    pub(super) fn warning(&self, connection: &ConnectionName) -> Option<String> {
        let division = self.division;
        let why = match &self.refused {
            Some(error) => error.to_string(),
            None if self.divisions.iter().any(|seen| seen.code == division) => return None,
            None => "the user does not see it".to_owned(),
        };
        Some(format!(
            "the grant is kept, but does not serve for division {division} of connection {connection} ({why}); give \
             consent again as a user who may work in it and include that company, or write the number of another one \
             as division"
        ))
    }
}

/// Whether it is for the place that was asked in that there was no answer.
fn is_no_access(error: &Error) -> bool {
    matches!(error, Error::Forbidden { .. } | Error::Refused { status: 404, .. })
}
