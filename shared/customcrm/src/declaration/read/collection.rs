//! The collections of a declaration.

use std::collections::BTreeMap;

use files::At;
use model::Content;

use super::super::format::{self, Entity, File, LinesStyle as LinesWord};
use super::super::{Collection, Lines, LinesStyle, RecordKeys, Shape};
use super::{Reader, optional};
use crate::{path::Path, times::Times};

impl Entity {
    /// What the pair files call it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Customers => "customers",
            Self::Contacts => "contacts",
            Self::Products => "products",
            Self::Orders => "orders",
            Self::Quotes => "quotes",
            Self::Users => "users",
        }
    }
}

impl Reader<'_, '_> {
    pub(super) fn collections(&mut self, file: &File) -> Option<BTreeMap<String, Collection>> {
        let read: Vec<Option<(String, Collection)>> = file
            .collections
            .iter()
            .map(|(entity, written)| {
                Some((entity.name().to_owned(), self.collection(file, *entity, written)?))
            })
            .collect();
        read.into_iter().collect()
    }

    fn collection(
        &mut self,
        file: &File,
        entity: Entity,
        written: &At<format::Collection>,
    ) -> Option<Collection> {
        let is_incremental = file.incremental.is_some() && written.incremental.unwrap_or(true);
        let record = self.record(&file.record, written.record.as_ref(), is_incremental, written.at());
        let shape = self.shape(&written.names, &written.numbers_as_texts);
        let archive: Vec<Option<(Path, Content)>> = written
            .archive
            .iter()
            .map(|(path, value)| {
                let content = self.plain(value, written.at());
                Some((Path::parse(path)?, content?))
            })
            .collect();
        let lines = written.lines.as_ref().map(|lines| self.lines(lines, file));
        let is_users = entity == Entity::Users;
        let email = match &written.email {
            Some(email) if is_users => self.path(email).map(Some),
            Some(email) => {
                self.report.refuse(
                    email.at(),
                    "only of the users it is asked where their addresses stand: leave this out",
                );
                None
            }
            None if is_users => {
                self.report.refuse(
                    written.at(),
                    "the key \"email\" is missing: add where the users' e-mail addresses stand",
                );
                None
            }
            None => Some(None),
        };
        let path = written.path.trim_matches('/');
        if path.is_empty() {
            self.report.refuse(
                written.path.at(),
                "this is no path: write what stands behind the address, as in \"customers\"",
            );
            return None;
        }
        Some(Collection {
            path: path.to_owned(),
            record: record?,
            query: written.query.clone().into_iter().collect(),
            is_incremental,
            shape: shape?,
            archive: archive.into_iter().collect::<Option<_>>()?,
            lines: optional(lines)?,
            email: email?,
        })
    }

    /// What a record of a collection tells of itself: as the collection says, and where that is silent as all do.
    fn record(
        &mut self,
        all: &At<format::RecordKeys>,
        own: Option<&At<format::RecordKeys>>,
        is_incremental: bool,
        at: usize,
    ) -> Option<RecordKeys> {
        let of = |key: fn(&format::RecordKeys) -> &Option<At<String>>| {
            own.and_then(|own| key(own).as_ref()).or(key(all).as_ref())
        };
        let id = of(|keys| &keys.id);
        if id.is_none() {
            self.report.refuse(all.at(), "the key \"id\" is missing: add where a record's id stands");
        }
        let id = id.map(|id| self.path(id));
        let version = self.optional_path(of(|keys| &keys.version));
        let modified_at = of(|keys| &keys.modified_at);
        if is_incremental && modified_at.is_none() {
            let problem = "what changed is read by time, and no record tells when it was changed: add modified_at to [record], or leave [incremental] out";
            self.report.refuse(at, problem);
        }
        let is_timed = modified_at.is_some() || !is_incremental;
        let modified_at = self.optional_path(modified_at);
        let times = match of(|keys| &keys.time) {
            None => Some(Times::Rfc3339),
            Some(written) => {
                let times = Times::parse(written);
                if times.is_none() {
                    let problem = "no time can be written so: write rfc3339, epoch-seconds, epoch-milliseconds, or a pattern as in \"%Y-%m-%d %H:%M:%S\"";
                    self.report.refuse(written.at(), problem);
                }
                times
            }
        };
        let modified_by = self.optional_path(of(|keys| &keys.modified_by));
        let deleted = of(|keys| &keys.deleted).map(|path| {
            let is = own.and_then(|own| own.deleted_is.as_ref()).or(all.deleted_is.as_ref());
            let content = match is {
                None => Some(Content::Boolean(true)),
                Some(is) => self.plain(is, is.at()),
            };
            Some((self.path(path)?, content?))
        });
        Some(RecordKeys {
            id: id??,
            version: version?,
            modified_at: modified_at?,
            times: times?,
            modified_by: modified_by?,
            deleted: optional(deleted)?,
        })
        .filter(|_| is_timed)
    }

    fn shape(&mut self, names: &BTreeMap<String, At<String>>, numbers: &[String]) -> Option<Shape> {
        let names: Vec<Option<(String, Path)>> =
            names.iter().map(|(name, path)| Some((name.clone(), self.path(path)?))).collect();
        let names = names.into_iter().collect::<Option<_>>()?;
        Some(Shape { names, numbers_as_texts: numbers.to_vec(), ..Shape::default() })
    }

    fn lines(&mut self, written: &At<format::Lines>, file: &File) -> Option<Lines> {
        let (is_patched, is_children) =
            (written.style == LinesWord::Patched, written.style == LinesWord::Children);
        let mut fits = true;
        for (key, there, allowed) in [
            ("removed", written.removed.as_ref().map(At::at), is_patched),
            ("path", written.path.as_ref().map(At::at), is_children),
            ("parent", written.parent.as_ref().map(At::at), is_children),
        ] {
            fits &= self.only_where(key, there, allowed, "this style");
        }
        let shape = self.shape(&written.names, &written.numbers_as_texts);
        let at = written.at();
        let style = match written.style {
            LinesWord::Whole => Some(LinesStyle::Whole),
            LinesWord::Patched => self
                .needed(written.removed.as_ref(), "removed", at)
                .map(|removed| LinesStyle::Patched { removed: removed.to_string() }),
            LinesWord::Children => {
                if file.search.is_none() {
                    let problem = "the lines of a document are searched by it: add [search]";
                    self.report.refuse(at, problem);
                    fits = false;
                }
                let path = self.needed(written.path.as_ref(), "path", at);
                let parent =
                    self.needed(written.parent.as_ref(), "parent", at).map(|parent| self.path(parent));
                Some(LinesStyle::Children { path: path?.trim_matches('/').to_owned(), parent: parent?? })
            }
        };
        Some(Lines {
            property: written.property.clone(),
            id: written.id.clone(),
            shape: shape?,
            style: style?,
        })
        .filter(|_| fits)
    }
}
