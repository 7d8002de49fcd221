use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use simulator_customcrm::{Running, Settings, Simulator};
use tempfile::TempDir;

const DEFAULT: &str = include_str!("../../../../deploy/customcrm/default.toml");

/// A simulated CRM with records of every kind, and a folder with a configuration for it.
pub(crate) struct Shop {
    pub(crate) crm: Running,
    pub(crate) folder: TempDir,
}

/// How the program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        let crm = Simulator::start(Settings::default()).await.unwrap();
        let shop = Self { crm, folder: tempfile::tempdir().unwrap() };
        shop.fill();
        std::fs::write(shop.path("crm-token"), &shop.crm.api_token).unwrap();
        shop.configure("");
        shop
    }

    /// Records of all collections, changed at different times, one of them deleted.
    fn fill(&self) {
        let control = &self.crm.control;
        let at = |second: usize| {
            let time = format!("2026-11-20T10:00:{second:02}.250Z");
            control.freeze_clock(Some(time.parse().unwrap()));
        };
        let seed = |collection: &str, record: String| control.seed(collection, [record]).unwrap();
        for number in 0..12 {
            at(number);
            seed(
                "customers",
                format!(
                    r#"{{"Id":"c{number}","Name":"Secretive {number}","CustomerNumber":"{number}","VatNumber":"NL00{number}","OrganizationNumber":"8{number}","Email":"c{number}@secret.example"}}"#
                ),
            );
        }
        for number in 0..5 {
            at(20 + number);
            seed(
                "contacts",
                format!(
                    r#"{{"Id":"k{number}","CustomerId":"c1","LastName":"Vos","Email":"k{number}@secret.example"}}"#
                ),
            );
            seed("products", format!(r#"{{"Id":"p{number}","Code":"P{number}","Name":"Anchor"}}"#));
            let lines = r#""Lines":[{"ProductId":"p0","Quantity":2}]"#;
            seed(
                "orders",
                format!(r#"{{"Id":"o{number}","CustomerId":"c1","OrderNumber":"O{number}",{lines}}}"#),
            );
            seed(
                "quotes",
                format!(r#"{{"Id":"q{number}","CustomerId":"c1","QuoteNumber":"Q{number}",{lines}}}"#),
            );
            seed(
                "users",
                format!(r#"{{"Id":"u{number}","FullName":"Secretive","Email":"u{number}@secret.example"}}"#),
            );
        }
        at(40);
        control.delete(&self.crm.human_token, "customers", "c3").unwrap();
        control.freeze_clock(None);
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the configuration, with these keys more for the CRM.
    pub(crate) fn configure(&self, keys: &str) {
        let pairs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/pairs");
        let mut text = format!("pairs = \"{}\"\n", pairs.display());
        write!(
            text,
            "[[connection]]\nname = \"acme\"\n[connection.customcrm]\nurl = \"{}\"\ntoken_file = \"crm-token\"\n{keys}\n",
            self.crm.base_url
        )
        .unwrap();
        text.push_str("[connection.exactonline]\nurl = \"https://start.exactonline.nl\"\ndivision = 7\nclient_id = \"an-app\"\nclient_secret_file = \"none\"\ngrant_file = \"grant.json\"\n");
        std::fs::write(self.path("tandem.toml"), text).unwrap();
    }

    /// Declares the CRM to be as it is, but for these changes of the declaration's text.
    pub(crate) fn declare(&self, changes: &[(&str, &str)]) {
        let mut text = DEFAULT.to_owned();
        for (from, to) in changes {
            assert!(text.contains(from), "{from}");
            text = text.replacen(from, to, 1);
        }
        std::fs::write(self.path("crm.toml"), text).unwrap();
        self.configure("declaration = \"crm.toml\"");
    }

    /// Runs the check to its end, while the simulator goes on to answer.
    pub(crate) fn check(&self, arguments: &[&str]) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
        command.args(["check", "--config"]).arg(self.path("tandem.toml")).args(arguments);
        Ended::of(command.output().unwrap())
    }
}

impl Ended {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// The finding of a line of the declaration.
    #[track_caller]
    pub(crate) fn line(&self, line: &str) -> &str {
        let is_it = |told: &&str| told.split_whitespace().nth(1) == Some(line);
        self.stdout
            .lines()
            .find(is_it)
            .unwrap_or_else(|| panic!("{line} is missing in\n{}\n{}", self.stdout, self.stderr))
    }

    /// The findings that are wrong.
    pub(crate) fn wrong(&self) -> Vec<&str> {
        self.stdout.lines().filter(|line| line.trim_start().starts_with("wrong ")).collect()
    }
}
