//! Characters that people do not see, or that change what they see.

use icu_properties::{CodePointSetData, CodePointSetDataBorrowed, props::DefaultIgnorableCodePoint};

/// Unicode's list of invisible characters, marks for direction and tags among them.
const IGNORABLE: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<DefaultIgnorableCodePoint>();

/// Returns true if a character is invisible, or turns the direction of its neighbours.
pub(crate) fn is_invisible(character: char) -> bool {
    // Those that Unicode does not list: separators of lines, a Braille pattern without dots, marks of annotations.
    IGNORABLE.contains(character) || matches!(character, '\u{2028}' | '\u{2029}' | '\u{2800}' | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_is_invisible_and_letters_of_any_script_are_not() {
        let invisible = "\u{ad}\u{34f}\u{61c}\u{115f}\u{17b4}\u{180b}\u{180e}\u{200b}\u{200f}\u{2028}\u{202e}\u{2060}\u{206f}\u{2800}\
                         \u{3164}\u{fe0f}\u{feff}\u{ffa0}\u{fff9}\u{1d173}\u{e0001}\u{e0041}\u{e0100}";
        for character in invisible.chars() {
            assert!(is_invisible(character), "{character:?}");
        }
        for character in "aé ü\u{a0}日本語한글ขعربي\u{300}🎉-_.~".chars() {
            assert!(!is_invisible(character), "{character:?}");
        }
    }
}
