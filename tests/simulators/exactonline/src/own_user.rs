//! What a user may ask about themselves: who they are, and what they may do.

use uuid::Uuid;

use crate::answer::{Answer, Refused};
use crate::call::Call;
use crate::database::wall_clock_at;
use crate::edm::{Value, iso};
use crate::json::Json;
use crate::query::Query;
use crate::schema::{ME, shape_of};
use crate::service::{Service, only_json};
use crate::write::fill;

impl Service {
    /// The user of the token, with the company that they work in and the server's clock.
    pub(crate) fn me(&self, call: &Call, user: Uuid, now: i64) -> Result<Answer, Refused> {
        only_json(call)?;
        if call.method != "GET" {
            return Err(Refused::method());
        }
        let shape = shape_of("me");
        let query = Query::parse(&call.query, &ME, shape)?;
        let person = self.people.iter().find(|person| person.id == user);
        let (name, email) = person.map_or(("", ""), |person| (&*person.full_name, &*person.email));
        let wall = wall_clock_at(now, &self.zone);
        let text = |text: &str| Value::Text(text.to_owned());
        let row = fill(
            shape,
            None,
            now,
            &[
                ("UserID", Value::Guid(user)),
                ("CurrentDivision", Value::Integer(i64::from(self.division))),
                ("AccountingDivision", Value::Integer(i64::from(self.division))),
                ("FullName", text(name)),
                ("Email", text(email)),
                ("UserName", text(email)),
                ("LanguageCode", text("nl-NL")),
                ("Legislation", Value::Integer(1)),
                // No source shows how this text is spelled: ISO 8601 without a zone is assumed.
                ("ServerTime", Value::Text(iso(wall))),
                ("ServerUtcOffset", Value::Double(((wall - now) / 1_000).into())),
            ],
        );
        let context = self.context(&call.base, self.division, user);
        let record = self.database.record(&ME, &row, &query, &context);
        let results = Json::object([("results", Json::List(vec![record]))]);
        Ok(Answer::json(200, &Json::object([("d", results)]), self.switches.escape_slashes))
    }

    /// Whether the user has the right to an endpoint.
    pub(crate) fn has_rights(&self, call: &Call) -> Result<Answer, Refused> {
        if call.method != "GET" {
            return Err(Refused::method());
        }
        only_json(call)?;
        let quoted = |name| call.option(name).and_then(|text| text.strip_prefix('\'')?.strip_suffix('\''));
        let (Some(path), Some(_)) = (quoted("endpoint"), quoted("action")) else {
            return Err(Refused::syntax());
        };
        let answer = Json::object([("UserHasRights", Json::Boolean(self.switches.has_right(path)))]);
        Ok(Answer::json(200, &Json::object([("d", answer)]), self.switches.escape_slashes))
    }
}
