//! Letters: what is known of single characters, and how each is folded.

use icu_normalizer::properties::{CanonicalDecompositionBorrowed, Decomposed};

const DECOMPOSITION: CanonicalDecompositionBorrowed<'static> = CanonicalDecompositionBorrowed::new();

/// Whether the script of a character may have capitals.
pub(crate) const fn has_case(character: char) -> bool {
    matches!(character, '\0'..='\u{58F}' | '\u{10A0}'..='\u{10FF}' | '\u{1C80}'..='\u{1FFF}' | '\u{2100}'..='\u{218F}' | '\u{24B6}'..='\u{24E9}'
        | '\u{2C00}'..='\u{2DFF}' | '\u{A640}'..='\u{ABFF}' | '\u{FB00}'..='\u{FB17}' | '\u{FF21}'..='\u{FF5A}' | '\u{10400}'..='\u{1E95F}')
}

/// The letter or digit behind the forms that people use most to dress one up: full width, mathematical, circled.
pub(crate) fn plain_form(character: char) -> char {
    let code = u32::from(character);
    let plain = match code {
        0..=0x9F => code,
        0xFF01..=0xFF5E => code - 0xFEE0,
        0x1D400..=0x1D6A3 if (code - 0x1D400) % 52 < 26 => u32::from('A') + (code - 0x1D400) % 52,
        0x1D400..=0x1D6A3 => u32::from('a') + (code - 0x1D400) % 52 - 26,
        0x1D7CE..=0x1D7FF => u32::from('0') + (code - 0x1D7CE) % 10,
        0x24B6..=0x24CF => u32::from('A') + code - 0x24B6,
        0x24D0..=0x24E9 => u32::from('a') + code - 0x24D0,
        0x1F130..=0x1F149 => u32::from('A') + code - 0x1F130,
        0x1F150..=0x1F169 => u32::from('A') + code - 0x1F150,
        0x1F170..=0x1F189 => u32::from('A') + code - 0x1F170,
        0x249C..=0x24B5 => u32::from('a') + code - 0x249C,
        0xA0 => u32::from(' '),
        _ => return raised_or_drawn(character).unwrap_or(character),
    };
    char::from_u32(plain).unwrap_or(character)
}

/// The letter behind one that is written small and high, or that mathematics has drawn at another place than its alphabet.
const fn raised_or_drawn(character: char) -> Option<char> {
    Some(match character {
        'ᵃ' | 'ₐ' => 'a',
        'ᵇ' | 'ℬ' => 'b',
        'ᶜ' | 'ℂ' | 'ℭ' => 'c',
        'ᵈ' => 'd',
        'ᵉ' | 'ₑ' | 'ℯ' | 'ℰ' => 'e',
        'ᶠ' | 'ℱ' => 'f',
        'ᵍ' | 'ℊ' => 'g',
        'ʰ' | 'ₕ' | 'ℋ' | 'ℌ' | 'ℍ' | 'ℎ' => 'h',
        'ⁱ' | 'ᵢ' | 'ℐ' | 'ℑ' | 'ℹ' => 'i',
        'ʲ' | 'ⱼ' => 'j',
        'ᵏ' | 'ₖ' => 'k',
        'ˡ' | 'ₗ' | 'ℒ' | 'ℓ' => 'l',
        'ᵐ' | 'ₘ' | 'ℳ' => 'm',
        'ⁿ' | 'ₙ' | 'ℕ' => 'n',
        'ᵒ' | 'ₒ' | 'ℴ' => 'o',
        'ᵖ' | 'ₚ' | 'ℙ' => 'p',
        'ℚ' => 'q',
        'ʳ' | 'ᵣ' | 'ℛ' | 'ℜ' | 'ℝ' => 'r',
        'ˢ' | 'ₛ' => 's',
        'ᵗ' | 'ₜ' => 't',
        'ᵘ' | 'ᵤ' => 'u',
        'ᵛ' | 'ᵥ' => 'v',
        'ʷ' => 'w',
        'ˣ' | 'ₓ' => 'x',
        'ʸ' => 'y',
        'ᶻ' | 'ℤ' | 'ℨ' => 'z',
        _ => return None,
    })
}

/// Whether a character may be a form of others that only compatibility normalization unfolds, or a part to be composed.
pub(crate) const fn is_compatibility_form(character: char) -> bool {
    let is_common = matches!(character, '\0'..='\u{A9}' | '\u{BF}'..='\u{131}' | '\u{400}'..='\u{586}' | '\u{588}'..='\u{674}'
        | '\u{679}'..='\u{EB2}' | '\u{4E00}'..='\u{A69B}' | '\u{AC00}'..='\u{D7FF}');
    !is_common
        && matches!(
            character,
            '\u{AA}' | '\u{B2}'..='\u{BE}' | '\u{132}' | '\u{133}' | '\u{13F}' | '\u{140}' | '\u{149}' | '\u{17F}'
                | '\u{1C4}'..='\u{1CC}' | '\u{1F1}'..='\u{1F3}' | '\u{2B0}'..='\u{2E4}' | '\u{37A}' | '\u{3D0}'..='\u{3D6}'
                | '\u{3F0}'..='\u{3F9}' | '\u{587}' | '\u{675}'..='\u{678}' | '\u{EB3}' | '\u{EDC}' | '\u{EDD}'
                | '\u{10FC}' | '\u{1100}'..='\u{11FF}' | '\u{1D2C}'..='\u{1DBF}' | '\u{1E9A}' | '\u{1FBD}'..='\u{1FC1}'
                | '\u{2070}'..='\u{209F}' | '\u{20A8}' | '\u{2100}'..='\u{218F}' | '\u{2460}'..='\u{24FF}' | '\u{2C7C}' | '\u{2C7D}'
                | '\u{2D6F}' | '\u{2E80}'..='\u{2FDF}' | '\u{3036}'..='\u{303A}' | '\u{3099}'..='\u{309C}' | '\u{309F}'
                | '\u{30FF}'..='\u{319F}' | '\u{3200}'..='\u{33FF}' | '\u{A69C}' | '\u{A69D}' | '\u{A770}' | '\u{A7F1}'..='\u{A7F9}'
                | '\u{AB5C}'..='\u{AB69}' | '\u{F900}'..='\u{FAFF}' | '\u{FB00}'..='\u{FDFF}' | '\u{FE30}'..='\u{FEFE}'
                | '\u{FF5F}'..='\u{FFEF}' | '\u{10780}'..='\u{107BA}' | '\u{1CCD6}'..='\u{1CCF9}' | '\u{1D400}'..='\u{1D7FF}' | '\u{1E030}'..='\u{1E08F}' | '\u{1EE00}'..='\u{1EEFF}'
                | '\u{1F100}'..='\u{1F1E5}' | '\u{1F200}'..='\u{1F26F}' | '\u{1FBF0}'..='\u{1FBF9}' | '\u{2F800}'..='\u{2FA1F}'
        )
}

/// Characters that a reader does not see, and the stretching of Arabic. Tabs and ends of lines are seen.
pub(crate) const fn is_invisible(character: char) -> bool {
    let is_printed = matches!(character, '\t'..='\r' | ' '..='~' | '\u{85}' | '\u{A0}'..='\u{AC}');
    !is_printed
        && matches!(
            character,
            '\0'..='\u{9F}' | '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{640}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
                | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}'
                | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
                | '\u{E0000}'..='\u{E0FFF}' | '\u{B7}'
        )
}

/// Accents, points and tone marks; not the vowel signs of India, which make another word.
pub(crate) const fn is_accent(character: char) -> bool {
    matches!(
        character,
        '\u{300}'..='\u{36F}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5BD}' | '\u{5BF}' | '\u{5C1}' | '\u{5C2}' | '\u{5C4}' | '\u{5C5}'
            | '\u{5C7}' | '\u{610}'..='\u{61A}' | '\u{64B}'..='\u{65F}' | '\u{670}' | '\u{6D6}'..='\u{6ED}' | '\u{93C}' | '\u{9BC}'
            | '\u{A3C}' | '\u{E48}'..='\u{E4C}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}'
            | '\u{3099}' | '\u{309A}' | '\u{FE20}'..='\u{FE2F}'
    )
}

/// Whether words of this script stand without spaces: Chinese, Japanese, Korean, Thai.
pub(crate) const fn is_unspaced(character: char) -> bool {
    match character {
        '\0'..='\u{E00}' => false,
        '\u{4E00}'..='\u{9FFF}' | '\u{3040}'..='\u{30FF}' | '\u{AC00}'..='\u{D7A3}' | '\u{E01}'..='\u{E5B}' => true,
        _ => matches!(
            character,
            '\u{3005}'..='\u{3007}' | '\u{3130}'..='\u{318F}' | '\u{31F0}'..='\u{31FF}'
                | '\u{3400}'..='\u{4DBF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}'
        ),
    }
}

/// Gives the folded letters and digits of a character to `take`.
pub(crate) fn fold(character: char, take: &mut impl FnMut(char)) {
    match character {
        '\0'..='\u{7F}' => take(character.to_ascii_lowercase()),
        'à'..='ÿ' | 'α'..='ω' | 'а'..='џ' => fold_lower(character, take),
        _ if has_case(character) => character.to_lowercase().for_each(|lower| fold_lower(lower, take)),
        _ => fold_lower(character, take),
    }
}

fn fold_lower(lower: char, take: &mut impl FnMut(char)) {
    if is_accent(lower) {
        return;
    }
    if let Some(text) = spelled_otherwise(lower) {
        return text.chars().for_each(take);
    }
    match if may_have_parts(lower) { DECOMPOSITION.decompose(lower) } else { Decomposed::Default } {
        Decomposed::Default => take(western_digit(lower)),
        Decomposed::Singleton(same) => fold_lower(same, take),
        Decomposed::Expansion(base, mark) => {
            fold_lower(base, take);
            fold_lower(mark, take);
        }
    }
}

pub(crate) const fn is_greek(character: char) -> bool {
    matches!(character, '\u{370}'..='\u{3FF}' | '\u{1F00}'..='\u{1FFF}')
}

/// Letters of Chinese, Japanese and Korean, which are never folded.
const fn is_syllable(character: char) -> bool {
    matches!(character, '\u{3041}'..='\u{3096}' | '\u{30A1}'..='\u{30FA}' | '\u{4E00}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7A3}')
}

/// Whether a letter is of a script that is taken apart: those from Latin to the ones of India.
const fn may_have_parts(letter: char) -> bool {
    matches!(letter, '\u{80}'..='\u{DFF}' | '\u{1E00}'..='\u{1FFF}') && !is_folded(letter)
}

/// Letters that stay as they are: most of those that are not Latin.
pub(crate) const fn is_folded(letter: char) -> bool {
    match letter as u32 >> 8 {
        0x00 => letter.is_ascii_lowercase(),
        0x03 => matches!(letter, 'α'..='ρ' | 'σ'..='ω'),
        0x04 => matches!(letter, 'а'..='и' | 'к'..='я'),
        0x05 => matches!(letter, 'א'..='ת'),
        0x06 => matches!(letter, '\u{627}' | '\u{628}' | '\u{62A}'..='\u{63A}' | '\u{641}'..='\u{648}' | '\u{64A}'),
        0x09 => is_folded_in_north_india(letter),
        0x0B => matches!(letter, '\u{B85}'..='\u{B93}' | '\u{B95}'..='\u{BB9}' | '\u{BBE}'..='\u{BC8}' | '\u{BCD}'),
        0x0E => matches!(letter, '\u{E01}'..='\u{E32}' | '\u{E34}'..='\u{E3A}' | '\u{E40}'..='\u{E46}'),
        _ => is_syllable(letter),
    }
}

/// Letters and vowel signs of Devanagari and Bengali that have no parts.
const fn is_folded_in_north_india(letter: char) -> bool {
    matches!(
        letter,
        '\u{902}' | '\u{903}' | '\u{905}'..='\u{928}' | '\u{930}' | '\u{932}' | '\u{933}' | '\u{935}'..='\u{939}' | '\u{93E}'..='\u{94D}'
            | '\u{982}' | '\u{983}' | '\u{985}'..='\u{9B9}' | '\u{9BE}'..='\u{9C8}' | '\u{9CD}'
    )
}

/// Letters that no decomposition brings together.
const fn spelled_otherwise(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ß' => "ss",
        'ſ' => "s",
        'æ' => "ae",
        'œ' => "oe",
        'þ' => "th",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'ł' => "l",
        'ħ' => "h",
        'ŋ' | 'ɴ' => "n",
        'ς' => "σ",
        'ґ' => "г",
        'ی' | 'ى' | 'ے' => "ي",
        'ک' => "ك",
        'ة' | 'ہ' | 'ھ' | 'ە' | 'ۃ' => "ه",
        'ں' => "ن",
        'ٱ' => "ا",
        '\u{E33}' => "\u{E4D}\u{E32}",
        '\u{901}' => "\u{902}",
        '\u{981}' => "\u{982}",
        'ı' | 'ɪ' => "i",
        'ᴀ' => "a",
        'ʙ' => "b",
        'ᴄ' => "c",
        'ᴅ' => "d",
        'ᴇ' => "e",
        'ꜰ' => "f",
        'ɢ' => "g",
        'ʜ' => "h",
        'ᴋ' => "k",
        'ʟ' => "l",
        'ᴍ' => "m",
        'ᴏ' => "o",
        'ᴘ' => "p",
        'ʀ' => "r",
        'ꜱ' => "s",
        'ᴛ' => "t",
        'ᴜ' => "u",
        'ᴠ' => "v",
        'ᴡ' => "w",
        'ʏ' => "y",
        'ᴢ' => "z",
        _ => return None,
    })
}

fn western_digit(character: char) -> char {
    let zero = match character {
        '\u{660}'..='\u{669}' => 0x660,
        '\u{6F0}'..='\u{6F9}' => 0x6F0,
        '\u{966}'..='\u{96F}' => 0x966,
        '\u{9E6}'..='\u{9EF}' => 0x9E6,
        '\u{BE6}'..='\u{BEF}' => 0xBE6,
        '\u{E50}'..='\u{E59}' => 0xE50,
        _ => return character,
    };
    char::from_digit(u32::from(character) - zero, 10).unwrap_or(character)
}

/// Whether a character belongs to a word.
pub(crate) fn is_of_word(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_alphanumeric();
    }
    is_folded(character) || character.is_alphanumeric() || is_vowel_sign(character)
}

/// Vowel signs and other marks that belong to a word and are no letters to `char::is_alphanumeric`.
const fn is_vowel_sign(character: char) -> bool {
    matches!(character, '\u{900}'..='\u{963}' | '\u{971}'..='\u{DF3}' | '\u{E31}'..='\u{E4E}')
}

pub(crate) const fn letter_of_sign(sign: char) -> char {
    match sign {
        '0' => 'o',
        '1' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    }
}

/// Whether a letter is of a script that is mixed with Latin in one word only to deceive: Greek, Cyrillic, Armenian, Cherokee.
pub(crate) const fn is_of_look_alike_script(letter: char) -> bool {
    matches!(letter, '\u{370}'..='\u{58F}' | '\u{13A0}'..='\u{13FD}' | '\u{1C80}'..='\u{1C8F}' | '\u{1F00}'..='\u{1FFF}'
        | '\u{A640}'..='\u{A69F}' | '\u{AB70}'..='\u{ABBF}')
}

/// The Latin letter that one of another script, or of phonetics, looks like.
pub(crate) const fn latin_look_alike(letter: char) -> Option<char> {
    Some(match letter {
        'а' | 'α' | 'ɑ' => 'a',
        'в' | 'β' => 'b',
        'с' => 'c',
        'ԁ' => 'd',
        'е' | 'ε' | 'ɛ' => 'e',
        'ɡ' | 'ց' => 'g',
        'н' | 'η' | 'һ' | 'հ' => 'h',
        'і' | 'ι' | 'ɩ' => 'i',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'ӏ' => 'l',
        'м' | 'μ' => 'm',
        'ո' => 'n',
        'о' | 'ο' | 'օ' => 'o',
        'р' | 'ρ' => 'p',
        'ԛ' => 'q',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'υ' | 'ս' => 'u',
        'ν' | 'ʋ' => 'v',
        'ԝ' | 'ω' | 'ɯ' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' => 'y',
        _ => return None,
    })
}

/// The Cyrillic letter that a Latin one looks like.
pub(crate) const fn cyrillic_look_alike(letter: char) -> Option<char> {
    Some(match letter {
        'a' => 'а',
        'b' => 'в',
        'c' => 'с',
        'e' => 'е',
        'h' => 'н',
        'i' => 'і',
        'k' => 'к',
        'm' => 'м',
        'o' => 'о',
        'p' => 'р',
        't' => 'т',
        'x' => 'х',
        'y' => 'у',
        _ => return None,
    })
}

/// Cyrillic letters that are rare enough to show that a word is written to look Latin.
pub(crate) const fn is_disguise(letter: char) -> bool {
    matches!(letter, 'ѕ' | 'ј' | 'ԁ')
}
