//! ISO 3166 country codes, and the names under which people write the common ones.

/// The code of two letters for a code or a name; `None` when neither is known.
pub(crate) fn code(text: &str) -> Option<String> {
    if text.len() == 2 {
        let upper = text.to_ascii_uppercase();
        if CODES.as_bytes().chunks(3).any(|code| code.starts_with(upper.as_bytes())) {
            return Some(upper);
        }
    }
    let lower = text.to_lowercase();
    NAMES.iter().find(|(name, _)| *name == lower).map(|(_, code)| (*code).to_owned())
}

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
