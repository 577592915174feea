//! Text as people compare it: what looks the same on a screen is the same here.

use icu_casemap::CaseMapper;
use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;

const NFKC: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfkc();

/// Without letter case (full case folding: `STRASSE` is `Straße`), compatibility forms (NFKC) and
/// invisible characters (Unicode's Default_Ignorable_Code_Point), and with one blank for any white
/// space: in essence Unicode's NFKC_Casefold (The Unicode Standard, section 3.13).
pub fn comparable(text: &str) -> String {
    if text.is_ascii() {
        return with_single_blanks(&text.to_ascii_lowercase());
    }
    let invisible = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let visible: String = text.chars().filter(|letter| !invisible.contains(*letter)).collect();
    let normalized = NFKC.normalize(&visible);
    let folded = CaseMapper::new().fold_string(&normalized);
    with_single_blanks(&NFKC.normalize(&folded))
}

fn with_single_blanks(text: &str) -> String {
    let mut single = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter.is_whitespace() {
            true if single.ends_with(' ') => {}
            true => single.push(' '),
            false => single.push(letter),
        }
    }
    single
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_the_same_is_the_same() {
        for (one, other) in [
            ("Your INVOICE", "your invoice"),
            ("STRASSE", "Straße"),
            ("ΟΔΟΣ", "οδος"),
            ("re\u{301}sume\u{301}", "RÉSUMÉ"),
            ("Invoice\u{a0}4711", "invoice 4711"),
            ("Invoice \t\u{2003} 4711", "invoice 4711"),
            ("ＩＮＶＯＩＣＥ", "invoice"),
            ("ﬁnance", "FINANCE"),
            ("in\u{ad}voi\u{200b}ce\u{feff}", "invoice"),
            ("ＳＴＲＡＳＳＥ", "straße"),
            ("Å", "\u{212b}"),
        ] {
            assert_eq!(comparable(one), comparable(other), "{one:?} and {other:?}");
            assert_eq!(comparable(&comparable(one)), comparable(one), "{one:?} again");
        }
        for (one, other) in [("resume", "résumé"), ("invoice4711", "invoice 4711"), ("a", "а")] {
            assert_ne!(comparable(one), comparable(other), "{one:?} and {other:?}");
        }
    }

    #[test]
    fn a_sender_cannot_make_it_look_twice() {
        for piece in ["\u{ad}", "\u{301}", "ß", " ", "\u{fdfa}", "a\u{301}\u{327}"] {
            let text = piece.repeat(200_000 / piece.len());
            assert!(comparable(&text).len() <= 20 * text.len(), "{piece:?}");
        }
    }
}
