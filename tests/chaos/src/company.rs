use serde_json::{Value, json};

/// A company as a person enters it, on either side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Company {
    /// Its name; tests find a company by it.
    pub name: String,
    /// A match key; `None` for a company that carries none.
    pub email: Option<String>,
    /// Where it is.
    pub city: String,
}

impl Company {
    /// A company with an e-mail address of its own.
    pub fn new(name: &str) -> Self {
        let mailbox: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        Self {
            name: name.to_owned(),
            email: Some(format!("{}@company.example", mailbox.to_lowercase())),
            city: "Utrecht".to_owned(),
        }
    }

    /// A company without anything that a partner could be found by.
    pub fn without_key(name: &str) -> Self {
        Self { email: None, ..Self::new(name) }
    }

    /// As the CRM takes it.
    pub fn as_customer(&self) -> Value {
        json!({ "Name": self.name, "Email": self.email, "City": self.city })
    }

    /// As Exact Online takes it.
    pub fn as_account(&self) -> Value {
        match &self.email {
            Some(email) => json!({ "Name": self.name, "Email": email, "City": self.city }),
            None => json!({ "Name": self.name, "City": self.city }),
        }
    }
}
