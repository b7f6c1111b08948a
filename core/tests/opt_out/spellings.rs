//! Spellings: the many in which the same word arrives.

use gatepost::{Intent, Tier, read_reply};

fn is_stop(texts: &[&str]) {
    for text in texts {
        let meaning = read_reply(text).meaning.unwrap_or_else(|| panic!("`{text}` says nothing"));
        assert_eq!((meaning.intent, meaning.tier), (Intent::OptOut, Tier::Certain), "{text}");
    }
}

#[test]
fn letters_dressed_up() {
    is_stop(&["ＳＴＯＰ", "𝐒𝐓𝐎𝐏", "𝓼𝓽𝓸𝓹", "Ⓢⓣⓞⓟ", "🅂🅃🄾🄿", "🆂🆃🅾🅿", "ꜱᴛᴏᴘ", "ｓｔｏｐｐ"]);
}

#[test]
fn invisible_characters() {
    is_stop(&["st\u{200B}op", "s\u{AD}top", "\u{FEFF}stop\u{2060}", "st\u{200D}op", "اـــلغاء"]);
}

#[test]
fn letters_spelled_out() {
    is_stop(&["S T O P", "S.T.O.P.", "s-t-o-p", "S_T_O_P", "$.t.o.p", "L E I R A T K O Z Á S", "退 订", "B A J A"]);
}

#[test]
fn letters_held_down() {
    is_stop(&["stoppp", "STOOOP", "UNSUBBBB", "BAJAAAA", "الغاااء", "הסררר", "停止止止止"]);
}

#[test]
fn signs_and_look_alikes_for_letters() {
    is_stop(&["st0p", "5top", "$top", "c@ncel", "stор", "ѕтор", "cтоп", "stop!!1"]);
}

#[test]
fn case_and_accents() {
    is_stop(&["İPTAL", "iptal", "IPTAL", "Arrêt", "ARRÊTEZ", "HUỶ", "huy", "ΔΙΑΓΡΑΦΉ", "διαγραφη", "ODHLASIT"]);
}

#[test]
fn letters_that_arabic_and_its_neighbors_write_differently() {
    is_stop(&["إلغاء", "الغاء", "اِلغاء", "لغو۱۱", "لغو11", "متوقف کنید", "متوقف كنيد", "بند کریں", "بند كرين"]);
}
