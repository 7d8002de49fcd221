//! Companies, addresses and phone numbers as the Netherlands, Belgium and Germany have them. None of them exists.

use model::{Value, View};
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use super::{NAME_MAX, property, text};

/// Where a company is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Country {
    Netherlands,
    Belgium,
    Germany,
}

/// Where it is there.
pub(super) struct Address {
    pub(super) street: String,
    pub(super) zip_code: String,
    pub(super) city: &'static str,
    pub(super) state: &'static str,
}

struct Words {
    code: &'static str,
    language: &'static str,
    /// City, first digits of its postal codes, state.
    cities: &'static [(&'static str, &'static str, &'static str)],
    streets: &'static [&'static str],
    trades: &'static [&'static str],
    families: &'static [&'static str],
    form: &'static str,
    notes: &'static [&'static str],
}

const NETHERLANDS: Words = Words {
    code: "NL",
    language: "NL",
    cities: &[
        ("Groningen", "97", "GR"),
        ("Leiden", "23", "ZH"),
        ("Zutphen", "72", "GE"),
        ("Haarlem", "20", "NH"),
        ("Middelburg", "43", "ZE"),
        ("Deventer", "74", "OV"),
    ],
    streets: &["Korenmarkt", "Havenstraat", "Oude Singel", "Nieuwe Gracht", "Molenpad", "Coöperatieweg"],
    trades: &["Timmerwerken", "Drukkerij", "Bakkerij", "Installatiebedrijf", "Kwekerij", "Rijwielhandel"],
    families: &["Van der Vliet", "De Groot-Èze", "Hoekstra", "Brouwer", "Ten Cate", "Ruïs"],
    form: "B.V.",
    notes: &[
        "Levering graag vóór tien uur.",
        "Belt terug na de vakantie.",
        "Facturen naar de administratie.",
        "Nieuwe inkoper sinds dit voorjaar.",
    ],
};

const BELGIUM: Words = Words {
    code: "BE",
    language: "NL-BE",
    cities: &[
        ("Gent", "90", "OVL"),
        ("Leuven", "30", "VBR"),
        ("Hasselt", "35", "LIM"),
        ("Liège", "40", "LIE"),
        ("Namur", "50", "NAM"),
    ],
    streets: &["Kouter", "Rue de la Fonderie", "Stationsplein", "Quai Sainte-Barbe", "Vaartkom"],
    trades: &["Brouwerij", "Chocolaterie", "Menuiserie", "Imprimerie", "Schrijnwerkerij", "Garage"],
    families: &["Vandamme", "Lefèvre", "Peeters", "Desmet", "Noël", "Wauters"],
    form: "BV",
    notes: &[
        "Livraison côté jardin.",
        "Bestelbonnummer op elke factuur.",
        "Préfère le courrier électronique.",
        "Gesloten op maandag.",
    ],
};

const GERMANY: Words = Words {
    code: "DE",
    language: "DE",
    cities: &[
        ("Münster", "481", "NW"),
        ("Lübeck", "235", "SH"),
        ("Nürnberg", "904", "BY"),
        ("Kassel", "341", "HE"),
        ("Tübingen", "720", "BW"),
    ],
    streets: &["Gerbergasse", "Mühlenstraße", "Am Güterbahnhof", "Königsallee", "Töpferweg"],
    trades: &["Schreinerei", "Gärtnerei", "Maschinenbau", "Druckerei", "Elektro", "Großküchen"],
    families: &["Grünewald", "Schäfer", "Weiß", "Krüger", "Böhm", "Strauß"],
    form: "GmbH",
    notes: &[
        "Anlieferung über den Hof.",
        "Neue Ansprechpartnerin im Einkauf.",
        "Rechnung mit Bestellnummer.",
        "Betriebsruhe zwischen den Jahren.",
    ],
};

impl Country {
    const ALL: [Self; 3] = [Self::Netherlands, Self::Belgium, Self::Germany];

    /// The country that a record names; the Netherlands for any other.
    pub(super) fn of(view: &View) -> Self {
        let named = |country: &Self| view.get(&property("Country")) == Some(&text(country.words().code));
        Self::ALL.into_iter().find(named).unwrap_or(Self::Netherlands)
    }

    const fn words(self) -> &'static Words {
        match self {
            Self::Netherlands => &NETHERLANDS,
            Self::Belgium => &BELGIUM,
            Self::Germany => &GERMANY,
        }
    }

    /// A phone number within a range that is kept free for fiction, or as good as.
    pub(super) fn phone(self, random: &mut StdRng) -> String {
        let (area, number) = (random.random_range(10..80), random.random_range(0..10_000));
        let (left, right) = (number / 100, number % 100);
        match self {
            Self::Netherlands => format!("+31 {area} 555 {left:02} {right:02}"),
            Self::Belgium => format!("+32 {area} 55 {left:02} {right:02}"),
            Self::Germany => format!("+49 {area}1 4710 {number:04}"),
        }
    }

    /// An address.
    pub(super) fn address(self, random: &mut StdRng) -> Address {
        let words = self.words();
        let (city, zip, state) = *one(random, words.cities);
        let street = format!("{} {}", one(random, words.streets), random.random_range(1..300));
        let zip_code = match self {
            Self::Netherlands => {
                let letter = |random: &mut StdRng| char::from(random.random_range(b'A'..=b'Z'));
                format!("{zip}{:02} {}{}", random.random_range(11..50), letter(random), letter(random))
            }
            Self::Belgium | Self::Germany => format!("{zip}{:02}", random.random_range(0..40)),
        };
        Address { street, zip_code, city, state }
    }

    /// A remark in a language that is spoken there.
    pub(super) fn note(self, random: &mut StdRng) -> &'static str {
        let notes: &[&'static str] = self.words().notes;
        one::<&str>(random, notes)
    }

    /// A VAT number that passes its check digit.
    pub(super) fn vat_number(self, random: &mut StdRng) -> String {
        loop {
            let number = random.random_range(10_000_000..100_000_000_u32);
            let found = match self {
                Self::Netherlands => dutch(number),
                Self::Belgium => Some(belgian(number)),
                Self::Germany => Some(german(number)),
            };
            if let Some(found) = found {
                return found;
            }
        }
    }
}

/// The ninth digit is the sum of the eight, weighted 9 to 2, modulo 11; where that is 10, there is no such number.
pub(super) fn dutch(eight_digits: u32) -> Option<String> {
    let sum: u32 = digits(eight_digits).iter().zip((2..=9).rev()).map(|(digit, weight)| digit * weight).sum();
    let check = sum % 11;
    (check < 10).then(|| format!("NL{eight_digits}{check}B01"))
}

/// Ten digits that begin with 0; the last two are 97 less the first eight modulo 97.
pub(super) fn belgian(eight_digits: u32) -> String {
    let first = eight_digits % 10_000_000;
    format!("BE0{first:07}{:02}", 97 - first % 97)
}

/// The ninth digit as ISO 7064 (MOD 11, 10) has it.
pub(super) fn german(eight_digits: u32) -> String {
    let product = digits(eight_digits).iter().fold(10, |product, digit| {
        let sum = (digit + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    format!("DE{eight_digits}{}", (11 - product) % 10)
}

fn digits(eight_digits: u32) -> [u32; 8] {
    let mut rest = eight_digits;
    let mut digits = [0; 8];
    for digit in digits.iter_mut().rev() {
        *digit = rest % 10;
        rest /= 10;
    }
    digits
}

/// A company; `serial` keeps its name and its addresses on the net apart from those of all others.
pub(super) fn company(random: &mut StdRng, serial: u32) -> View {
    let country = *one(random, &Country::ALL);
    let words = country.words();
    let (trade, family) = (one(random, words.trades), one(random, words.families));
    let name: String = format!("{trade} {family} {serial} {}", words.form).chars().take(NAME_MAX).collect();
    let domain = format!("{}-{serial}.example", ascii(&format!("{trade} {family}")));
    let address = country.address(random);
    let values = [
        ("Name", text(name)),
        ("VatNumber", text(country.vat_number(random))),
        ("Email", text(format!("info@{domain}"))),
        ("Phone", text(country.phone(random))),
        ("Website", text(format!("https://www.{domain}"))),
        ("StreetAddress1", text(address.street)),
        ("ZipCode", text(address.zip_code)),
        ("City", text(address.city)),
        ("State", text(address.state)),
        ("Country", text(words.code)),
        ("Language", text(words.language)),
        ("Currency", text("EUR")),
        ("Status", text(*one(random, &["Prospect", "Customer"]))),
        ("PaymentTerms", text("30")),
        ("IsActive", Value::Boolean(true)),
    ];
    values.into_iter().map(|(name, value)| (property(name), value)).collect()
}

/// A name as it stands in a domain.
fn ascii(name: &str) -> String {
    let plain = |letter: char| match letter {
        'à'..='å' => "a".to_owned(),
        'è'..='ë' => "e".to_owned(),
        'ì'..='ï' => "i".to_owned(),
        'ò'..='ö' => "o".to_owned(),
        'ù'..='ü' => "u".to_owned(),
        'ß' => "ss".to_owned(),
        letter if letter.is_ascii_alphanumeric() => letter.to_string(),
        _ => "-".to_owned(),
    };
    name.to_lowercase().chars().map(plain).collect()
}

fn one<'a, T>(random: &mut StdRng, from: &'a [T]) -> &'a T {
    from.choose(random).expect("the lists of words are not empty")
}
