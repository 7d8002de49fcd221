//! ISO 3166 country codes, and the names under which people write the common ones.

/// The code of two letters for a code or a name; `None` when neither is known.
pub(crate) fn code(text: &str) -> Option<String> {
    if let [first, second] = text.to_ascii_uppercase().as_bytes()
        && is_assigned(*first, *second)
    {
        return Some(text.to_ascii_uppercase());
    }
    let lower = text.to_lowercase();
    NAMES.iter().find(|(name, _)| *name == lower).map(|(_, code)| (*code).to_owned())
}

fn is_assigned(first: u8, second: u8) -> bool {
    first.is_ascii_uppercase()
        && second.is_ascii_uppercase()
        && ASSIGNED[usize::from(first - b'A')] & (1 << (second - b'A')) != 0
}

/// The second letters, as bits, that go with each first letter: a record is read too often to search a list.
const ASSIGNED: [u32; 26] = {
    let codes = CODES.as_bytes();
    let mut assigned = [0; 26];
    let mut at = 0;
    while at < codes.len() {
        assigned[(codes[at] - b'A') as usize] |= 1 << (codes[at + 1] - b'A');
        at += 3;
    }
    assigned
};

/// All officially assigned codes, and XK, which the European Commission uses for Kosovo.
const CODES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS \
BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ \
FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT \
JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP \
MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE \
RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV \
TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW";

const NAMES: [(&str, &str); 50] = [
    ("allemagne", "DE"),
    ("austria", "AT"),
    ("belgien", "BE"),
    ("belgique", "BE"),
    ("belgium", "BE"),
    ("belgië", "BE"),
    ("denemarken", "DK"),
    ("denmark", "DK"),
    ("deutschland", "DE"),
    ("dänemark", "DK"),
    ("duitsland", "DE"),
    ("england", "GB"),
    ("españa", "ES"),
    ("france", "FR"),
    ("frankreich", "FR"),
    ("frankrijk", "FR"),
    ("germany", "DE"),
    ("great britain", "GB"),
    ("holland", "NL"),
    ("ierland", "IE"),
    ("ireland", "IE"),
    ("italia", "IT"),
    ("italien", "IT"),
    ("italië", "IT"),
    ("italy", "IT"),
    ("luxembourg", "LU"),
    ("luxemburg", "LU"),
    ("nederland", "NL"),
    ("netherlands", "NL"),
    ("niederlande", "NL"),
    ("oostenrijk", "AT"),
    ("pays-bas", "NL"),
    ("poland", "PL"),
    ("polen", "PL"),
    ("portugal", "PT"),
    ("schweiz", "CH"),
    ("spain", "ES"),
    ("spanien", "ES"),
    ("spanje", "ES"),
    ("sweden", "SE"),
    ("switzerland", "CH"),
    ("the netherlands", "NL"),
    ("uk", "GB"),
    ("united kingdom", "GB"),
    ("united states", "US"),
    ("usa", "US"),
    ("verenigd koninkrijk", "GB"),
    ("zweden", "SE"),
    ("zwitserland", "CH"),
    ("österreich", "AT"),
];
