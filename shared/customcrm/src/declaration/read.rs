//! What the keys of a file make of a declaration, and whether it can work.

mod collection;
mod keys;

use std::collections::BTreeMap;

use files::{At, Report};
use jiff::SignedDuration;
use model::{EntityName, UserId};
use reqwest::header::{HeaderName, HeaderValue};

use super::format::{
    self, ClassWord, CreateMethod, Credentials, File, ResetWord, Scheme, UpdateMethod as UpdateWord,
};
use super::{
    Answer, Authentication, Create, Declaration, Errors, Incremental, Limits, Lock, Meaning, OAuthGrant,
    Paging, PagingStyle, SCHEMA, Search, Update, UpdateMethod, User,
};
use crate::{Webhooks, WebhooksDeclaration, path::Path, template::Template};

/// The declaration; `None` only where a problem was reported.
pub(super) fn declaration(report: &mut Report<'_>) -> Option<Declaration> {
    let mut root = files::parse(report)?;
    if !files::fit(root.get_mut(), &SCHEMA, report) {
        return None;
    }
    let file: File = files::read(root, report)?;
    Reader { report }.declaration(&file)
}

/// A file being read. Each function tells what is wrong and gives `None` then; all are called before any result is
/// looked at.
struct Reader<'r, 'a> {
    report: &'r mut Report<'a>,
}

impl Reader<'_, '_> {
    fn declaration(&mut self, file: &File) -> Option<Declaration> {
        let authentication = self.authentication(&file.authentication);
        let user = self.user(file.user.as_ref(), &file.record);
        let answer = self.answer(&file.answer, file.search.is_some());
        let paging = self.paging(&file.paging);
        let incremental = file.incremental.as_ref().map(|written| self.incremental(written, &file.paging));
        let search = file.search.as_ref().map(|written| self.search(written));
        let create = self.create(&file.create);
        let update = self.update(&file.update);
        let lock = self.lock(file);
        let errors = self.errors(&file.errors);
        let limits = self.limits(&file.limits);
        let webhooks = file.webhooks.as_ref().map(|written| self.webhooks(written, file));
        let collections = self.collections(file);
        Some(Declaration {
            crm: file.crm.clone(),
            webhooks: optional(webhooks)?,
            authentication: authentication?,
            user: user?,
            answer: answer?,
            paging: paging?,
            incremental: optional(incremental)?,
            search: optional(search)?,
            create: create?,
            update: update?,
            lock: lock?,
            errors: errors?,
            limits: limits?,
            collections: collections?,
        })
    }

    fn authentication(&mut self, written: &At<format::Authentication>) -> Option<Authentication> {
        let scheme = written.scheme;
        let is_oauth = matches!(scheme, Scheme::ClientCredentials | Scheme::RefreshToken);
        let is_header = scheme == Scheme::Header;
        let mut fits = true;
        for (key, there, allowed) in [
            ("header", written.header.as_ref().map(At::at), is_header),
            ("prefix", written.prefix.as_ref().map(At::at), is_header),
            ("token_path", written.token_path.as_ref().map(At::at), is_oauth),
            ("credentials", written.credentials.as_ref().map(At::at), is_oauth),
            ("scope", written.scope.as_ref().map(At::at), is_oauth),
        ] {
            fits &= self.only_where(key, there, allowed, "this scheme");
        }
        let read = match scheme {
            Scheme::None => Some(Authentication::None),
            Scheme::Basic => Some(Authentication::Basic),
            Scheme::Bearer => Some(Authentication::Header {
                header: "authorization".to_owned(),
                prefix: "Bearer ".to_owned(),
            }),
            Scheme::Header => {
                let header = self.needed(written.header.as_ref(), "header", written.at())?;
                let header = self.header(header)?;
                let prefix = written.prefix.as_ref().map(|prefix| prefix.to_string()).unwrap_or_default();
                Some(Authentication::Header { header, prefix })
            }
            Scheme::ClientCredentials | Scheme::RefreshToken => {
                let token_path = self.needed(written.token_path.as_ref(), "token_path", written.at())?;
                let grant = match scheme {
                    Scheme::RefreshToken => OAuthGrant::RefreshToken,
                    _ => OAuthGrant::ClientCredentials,
                };
                Some(Authentication::OAuth {
                    grant,
                    token_path: token_path.to_string(),
                    in_body: written.credentials.as_deref() == Some(&Credentials::Body),
                    scope: written.scope.as_ref().map(|scope| scope.to_string()),
                })
            }
        };
        read.filter(|_| fits)
    }

    fn user(&mut self, written: Option<&At<format::User>>, record: &format::RecordKeys) -> Option<User> {
        let Some(written) = written else { return Some(User::Unknown) };
        if record.modified_by.is_none() {
            self.report.refuse(
                written.at(),
                "no record tells who changed it, so who we are says nothing: add modified_by to [record], or leave this out",
            );
            return None;
        }
        match (&written.path, &written.id, &written.is) {
            (Some(path), Some(id), None) => Some(User::Asked { path: path.clone(), id: self.path(id)? }),
            (None, None, Some(is)) => match UserId::parse(is) {
                Ok(user) => Some(User::Is(user)),
                Err(error) => {
                    self.report.refuse(is.at(), error.to_string());
                    None
                }
            },
            _ => {
                let problem = "the user is told by path and id, or by is alone: write either";
                self.report.refuse(written.at(), problem);
                None
            }
        }
    }

    fn answer(&mut self, written: &format::Answer, is_searchable: bool) -> Option<Answer> {
        let list = self.optional_path(written.list.as_ref());
        let record = self.optional_path(written.record.as_ref());
        let sent = self.optional_path(written.sent.as_ref());
        let searched = written.lookup.as_ref().filter(|lookup| ***lookup == format::Lookup::Search);
        if let Some(lookup) = searched.filter(|_| !is_searchable) {
            self.report.refuse(lookup.at(), "a record is looked up by a search: add [search]");
            return None;
        }
        let is_searched = searched.is_some();
        let leaves_out_empty = written.leaves_out_empty;
        Some(Answer { list: list?, record: record?, sent: sent?, is_searched, leaves_out_empty })
    }

    fn paging(&mut self, written: &At<format::Paging>) -> Option<Paging> {
        use format::PagingStyle as Word;
        let style = written.style;
        let has_parameter = matches!(style, Word::Cursor | Word::Page | Word::Offset);
        let mut fits = true;
        for (key, there, allowed) in [
            ("parameter", written.parameter.as_ref().map(At::at), has_parameter),
            ("next", written.next.as_ref().map(At::at), matches!(style, Word::Cursor | Word::Next)),
            ("first", written.first.as_ref().map(At::at), style == Word::Page),
            ("size_parameter", written.size_parameter.as_ref().map(At::at), style != Word::None),
        ] {
            fits &= self.only_where(key, there, allowed, "this style");
        }
        let at = written.at();
        let parameter = has_parameter.then(|| {
            self.needed(written.parameter.as_ref(), "parameter", at).map(|parameter| parameter.to_string())
        });
        let next = matches!(style, Word::Cursor | Word::Next).then(|| {
            let next = self.needed(written.next.as_ref(), "next", at)?;
            self.path(next)
        });
        let style = match style {
            Word::None => PagingStyle::None,
            Word::Link => PagingStyle::Link,
            Word::Cursor => PagingStyle::Cursor { parameter: parameter??, next: next?? },
            Word::Next => PagingStyle::Next { next: next?? },
            Word::Offset => PagingStyle::Offset { parameter: parameter?? },
            Word::Page => {
                let first = written.first.as_ref().map_or(1, |first| u64::from(**first));
                PagingStyle::Page { parameter: parameter??, first }
            }
        };
        let size_parameter = written.size_parameter.as_ref().map(|parameter| parameter.to_string());
        let query = written.query.clone().into_iter().collect();
        fits.then_some(Paging { style, size: written.size, size_parameter, query })
    }

    fn incremental(
        &mut self,
        written: &At<format::Incremental>,
        paging: &format::Paging,
    ) -> Option<Incremental> {
        use format::PagingStyle as Word;
        let value = self.template(written.value.as_ref(), "{since}", &["since"], &["since"], written.at());
        let mut fits = true;
        if let Some(ordered) = written.ordered.as_ref().filter(|ordered| !***ordered) {
            fits = !matches!(paging.style, Word::Page | Word::Offset);
            if !fits {
                let problem = "records that move in the list while pages are counted are passed over: ask for them in the order of their changes, by query, or leave [incremental] out";
                self.report.refuse(ordered.at(), problem);
            }
        }
        let seconds =
            |written: Option<u32>, usual: u32| SignedDuration::from_secs(written.unwrap_or(usual).into());
        Some(Incremental {
            parameter: written.parameter.to_string(),
            value: value?,
            query: written.query.clone().into_iter().collect(),
            is_ordered: written.ordered.as_deref() != Some(&false),
            overlap: seconds(written.overlap_seconds, 2),
            scan_every: seconds(written.scan_seconds, 300),
        })
        .filter(|_| fits)
    }

    fn search(&mut self, written: &At<format::Search>) -> Option<Search> {
        let parameter = self.template(Some(&written.parameter), "", &["property"], &[], written.at());
        let in_parameter = parameter.as_ref().is_some_and(|parameter| parameter.names("property"));
        let in_query = written.query.values().any(|text| text.contains("{property}"));
        let must: &[&'static str] =
            if in_parameter || in_query { &["value"] } else { &["property", "value"] };
        let value =
            self.template(written.value.as_ref(), "{value}", &["property", "value"], must, written.at());
        let join = written.join.as_ref();
        let mut fits = true;
        if let Some(join) = join.filter(|_| in_parameter) {
            self.report.refuse(
                join.at(),
                "each condition has a parameter of its own, so nothing stands between them: leave this out",
            );
            fits = false;
        }
        let query: Vec<Option<(String, Template)>> = written
            .query
            .iter()
            .map(|(name, text)| {
                Some((name.clone(), self.template(Some(text), "", &["property"], &[], text.at())?))
            })
            .collect();
        Some(Search {
            parameter: parameter?,
            value: value?,
            query: query.into_iter().collect::<Option<_>>()?,
            join: join.map(|join| join.to_string()),
            escape: written.escape.as_ref().map(|escape| escape.to_string()),
        })
        .filter(|_| fits)
    }

    fn create(&mut self, written: &format::Create) -> Option<Create> {
        let header = written.idempotency_header.as_ref().map(|header| self.header(header));
        let is_put = written.method.as_deref() == Some(&CreateMethod::Put);
        let headers: Vec<Option<(String, String)>> = written
            .headers
            .iter()
            .map(|(name, value)| {
                let fits = HeaderName::try_from(name.as_str()).is_ok()
                    && HeaderValue::try_from(value.as_str()).is_ok();
                if !fits {
                    let problem = format!("{name:?} can't be sent so: write a header's name and its value");
                    self.report.refuse(value.at(), problem);
                }
                fits.then(|| (name.clone(), value.to_string()))
            })
            .collect();
        let headers = headers.into_iter().collect::<Option<_>>()?;
        Some(Create { is_put, idempotency_header: optional(header)?, headers })
    }

    fn update(&mut self, written: &format::Update) -> Option<Update> {
        let (method, usual) = match written.method.as_deref() {
            None | Some(UpdateWord::MergePatch) => (UpdateMethod::MergePatch, "application/merge-patch+json"),
            Some(UpdateWord::JsonPatch) => (UpdateMethod::JsonPatch, "application/json-patch+json"),
            Some(UpdateWord::Put) => (UpdateMethod::Put, "application/json"),
        };
        let content_type = written.content_type.as_ref().map_or(usual, |written| written.as_str()).to_owned();
        if let Some(at) = &written.content_type
            && HeaderValue::try_from(content_type.as_str()).is_err()
        {
            self.report.refuse(at.at(), format!("no header can hold this: write it as {usual:?}"));
            return None;
        }
        Some(Update { method, content_type })
    }

    fn lock(&mut self, file: &File) -> Option<Lock> {
        let lock = match file.lock {
            None | Some(format::Lock::None) => return Some(Lock::None),
            Some(format::Lock::IfMatch) => Lock::IfMatch,
            Some(format::Lock::VersionProperty) => Lock::VersionProperty,
        };
        let tells = |keys: &format::RecordKeys| keys.version.is_some();
        let of_collections = file
            .collections
            .values()
            .all(|collection| collection.record.as_ref().is_some_and(|record| tells(record)));
        if tells(&file.record) || of_collections {
            return Some(lock);
        }
        let problem =
            "writes are locked by a version, and no record tells one: add version here, or leave lock out";
        self.report.refuse(file.record.at(), problem);
        None
    }

    fn errors(&mut self, written: &format::Errors) -> Option<Errors> {
        let message: Vec<Option<Path>> = written.message.iter().map(|path| self.path(path)).collect();
        let properties = self.optional_path(written.properties.as_ref());
        let property = self.optional_path(written.property.as_ref());
        let text = self.optional_path(written.text.as_ref());
        let duplicate = self.optional_path(written.duplicate.as_ref());
        let statuses: Vec<Option<(u16, Meaning)>> = written
            .statuses
            .iter()
            .map(|(status, class)| {
                let code = status.parse().ok().filter(|code| (300..600).contains(code));
                if code.is_none() {
                    let problem = format!("{status:?} is no status of a refusal: write one from 300 to 599");
                    self.report.refuse(class.at(), problem);
                }
                Some((code?, meaning(**class)))
            })
            .collect();
        Some(Errors {
            message: message.into_iter().collect::<Option<_>>()?,
            properties: properties?,
            property: property?,
            text: text?,
            duplicate: duplicate?,
            duplicate_words: written.duplicate_words.clone(),
            statuses: statuses.into_iter().collect::<Option<BTreeMap<_, _>>>()?,
        })
    }

    fn limits(&mut self, written: &format::Limits) -> Option<Limits> {
        let remaining = written.remaining_header.as_ref().map(|header| self.header(header));
        let reset = written.reset_header.as_ref().map(|header| self.header(header));
        let parallel = usize::try_from(written.parallel.unwrap_or(8)).ok()?;
        Some(Limits {
            parallel,
            remaining_header: optional(remaining)?,
            reset_header: optional(reset)?,
            reset_is_epoch: written.reset.as_deref() == Some(&ResetWord::EpochSeconds),
        })
    }

    fn webhooks(&mut self, written: &At<WebhooksDeclaration>, file: &File) -> Option<Webhooks> {
        let collections =
            file.collections.keys().filter_map(|entity| EntityName::parse(entity.name()).ok()).collect();
        match written.meant(&collections) {
            Ok(webhooks) => Some(webhooks),
            Err(problems) => {
                for problem in problems {
                    let what = format!("{:?} {}: {}", problem.key, problem.what, problem.remedy);
                    self.report.refuse(written.at(), what);
                }
                None
            }
        }
    }
}

const fn meaning(word: ClassWord) -> Meaning {
    match word {
        ClassWord::Transient => Meaning::Transient,
        ClassWord::Throttled => Meaning::Throttled,
        ClassWord::Rejected => Meaning::Rejected,
        ClassWord::Gone => Meaning::Gone,
        ClassWord::Stale => Meaning::Stale,
        ClassWord::Auth => Meaning::Auth,
        ClassWord::Duplicate => Meaning::Duplicate,
    }
}

/// What is absent is right.
#[expect(clippy::option_option, reason = "written or not, right or wrong")]
fn optional<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        None => Some(None),
        Some(read) => read.map(Some),
    }
}
