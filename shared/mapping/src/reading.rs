//! The two ways of reading what the dataflow between the two systems asks for.

/// How a deployment reads its pair files. One file holds both readings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reading {
    /// What a company means by it: a quotation for a quote, an order once there is one.
    #[default]
    Practical,
    /// What the words say: each record of the one entity has a record of the other.
    Literal,
}

impl Reading {
    /// Both readings.
    pub const ALL: [Self; 2] = [Self::Practical, Self::Literal];

    /// The name in a configuration and in pair files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Practical => "practical",
            Self::Literal => "literal",
        }
    }

    /// Reads the name back; `None` for any other text.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reading| reading.name() == name)
    }
}

impl std::fmt::Display for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
