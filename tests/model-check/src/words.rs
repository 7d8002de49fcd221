//! The two properties of the modelled pair, and the few values that they can hold.

use std::collections::BTreeMap;

use link::{ConflictPolicy, DeleteConflict, DeletePolicy, Policy, Rule};
use model::{PropertyName, System, SystemPair, Value, View};

/// A property of both records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Property {
    /// Exact Online trims it. Where both sides changed it, CustomCRM wins.
    Name,
    /// Both store it as it is. Where both sides changed it, a person decides. It tells too that a record is archived.
    Note,
}

/// What a property holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Word {
    /// Nothing is there.
    Nothing,
    /// `a`
    A,
    /// `a` and a blank after it, which Exact Online does not keep.
    PaddedA,
    /// `b`
    B,
    /// `c`
    C,
    /// The mark of a record whose partner was deleted.
    Archived,
}

/// What a record holds in its two properties.
pub type Words = [Word; 2];

/// What a write gives to the two properties.
pub type Given = [Option<Word>; 2];

impl Property {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Name, Self::Note];

    fn name(self) -> PropertyName {
        let name = match self {
            Self::Name => "name",
            Self::Note => "note",
        };
        PropertyName::parse(name).expect("it is a word of letters")
    }

    /// What a link knows of it.
    pub fn of<T>(self, known: &BTreeMap<PropertyName, T>) -> Option<&T> {
        known.get(&self.name())
    }

    /// Whether a link holds it for a person.
    pub fn is_held(self, link: &link::Link) -> bool {
        link.conflicts.contains(&self.name())
    }

    /// What a system makes of a value that it is given.
    pub const fn stored(self, system: System, given: Word) -> Word {
        match (self, system, given) {
            (Self::Name, System::ExactOnline, Word::PaddedA) => Word::A,
            _ => given,
        }
    }

    /// Whether values agree: whether both systems would make the same of them.
    pub fn alike(self, one: Word, other: Word) -> bool {
        self.stored(System::ExactOnline, one) == self.stored(System::ExactOnline, other)
    }
}

impl Word {
    const ALL: [Self; 6] = [Self::Nothing, Self::A, Self::PaddedA, Self::B, Self::C, Self::Archived];

    const fn text(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::A => "a",
            Self::PaddedA => "a ",
            Self::B => "b",
            Self::C => "c",
            Self::Archived => "archived",
        }
    }

    fn value(self) -> Value {
        match self {
            Self::Nothing => Value::Empty,
            word => Value::Text(word.text().to_owned()),
        }
    }

    /// The word that a link speaks of; `None` for a value that this world does not have.
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Empty => Some(Self::Nothing),
            Value::Text(text) => Self::ALL.into_iter().find(|word| word.text() == text),
            _ => None,
        }
    }
}

/// A record as a link sees it.
pub fn view(words: Words) -> View {
    Property::BOTH.into_iter().map(|property| (property.name(), words[property as usize].value())).collect()
}

/// What a write of a link gives.
pub fn given(values: &View) -> Given {
    Property::BOTH.map(|property| property.of(values).and_then(Word::of))
}

/// The rules of the modelled pair: only Exact Online's records are made, and archived when their partner is deleted;
/// CustomCRM's stay.
pub fn policy() -> Policy {
    let rule = |conflict| Rule { conflict, ..Rule::default() };
    Policy {
        rules: BTreeMap::from([
            (Property::Name.name(), rule(ConflictPolicy::Wins(System::CustomCrm))),
            (Property::Note.name(), rule(ConflictPolicy::Ask)),
        ]),
        creates: SystemPair { customcrm: false, exactonline: true },
        deletes: SystemPair {
            customcrm: DeletePolicy::Unlink,
            exactonline: DeletePolicy::Archive(Property::Note.name(), Word::Archived.value()),
        },
        delete_conflict: DeleteConflict::Ask,
        lines: None,
    }
}
