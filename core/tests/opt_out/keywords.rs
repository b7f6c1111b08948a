//! Keywords: words that are certain by themselves.

use gatepost::{Cause, Intent, ReplyRule, Tier, read_reply};

/// Those of 47 CFR 64.1200(a)(10), of the CTIA, and of Twilio's and Meta's documents.
const OPT_OUT: &[&str] =
    &["stop", "quit", "end", "revoke", "opt out", "opt-out", "optout", "cancel", "unsubscribe", "stopall", "stop all", "please opt me out"];
const OPT_IN: &[&str] = &["start", "unstop", "resume", "subscribe", "join"];
const HELP: &[&str] = &["help", "info"];
/// The first word of each language in the vendors' and our own list.
const LOCAL: &[&str] = &[
    "BAJA",
    "ARRET",
    "ARRÊT",
    "STOPP",
    "ABMELDEN",
    "SAIR",
    "CANCELLAMI",
    "AFMELDEN",
    "WYPISZ",
    "AFMELD",
    "AVMELD",
    "LOPETA",
    "СТОП",
    "ОТПИСАТЬСЯ",
    "ВІДПИСАТИСЯ",
    "ОТПИСВАНЕ",
    "ODHLÁSIT",
    "LEIRATKOZÁS",
    "DEZABONARE",
    "ΔΙΑΚΟΠΗ",
    "İPTAL",
    "إيقاف",
    "הסר",
    "لغو",
    "بند کریں",
    "बंद करो",
    "বন্ধ করুন",
    "நிறுத்து",
    "BERHENTI",
    "UNREG",
    "退订",
    "取消订阅",
    "TD",
    "停止",
    "配信停止",
    "수신거부",
    "HỦY",
    "ยกเลิก",
    "TIGIL",
    "ODJAVA",
    "ATURA",
    "SITISHA",
];

fn check(word: &str, intent: Intent) {
    let meaning = read_reply(word).meaning.unwrap_or_else(|| panic!("`{word}` says nothing"));
    assert_eq!((meaning.intent, meaning.tier, meaning.rule), (intent, Tier::Certain, ReplyRule::Keyword), "{word}");
}

#[test]
fn a_keyword_may_be_long() {
    for word in ["ยกเลิกรับข่าวสาร", "ยกเลิกรับข้อความ"] {
        check(word, Intent::OptOut);
    }
}

#[test]
fn the_words_of_law_and_vendors_are_certain_in_any_case() {
    for (words, intent) in [(OPT_OUT, Intent::OptOut), (OPT_IN, Intent::OptIn), (HELP, Intent::Help)] {
        for word in words {
            check(word, intent);
            check(&word.to_uppercase(), intent);
        }
    }
}

#[test]
fn the_words_of_other_languages_are_certain() {
    LOCAL.iter().for_each(|word| check(word, Intent::OptOut));
}

#[test]
fn courtesy_and_punctuation_change_nothing() {
    for text in
        ["Stop, please.", "STOP. Thank you", "hi, stop", "Stopp bitte!", "arrêt merci", "(END)", "- quit", "*stop*", "«stop»", "🛑 stop 🙏"]
    {
        check(text, Intent::OptOut);
    }
}

#[test]
fn an_opt_in_that_contains_an_opt_out_is_an_opt_in() {
    for text in ["UNSTOP", "Un-stop", "undo stop", "re-subscribe"] {
        check(text, Intent::OptIn);
    }
}

#[test]
fn a_keyword_stands_for_the_cause_keyword() {
    assert_eq!(read_reply("stop").cause(), Some(Cause::Keyword));
    assert_eq!(read_reply("start").cause(), None);
    assert_eq!(read_reply("help").cause(), None);
}

#[test]
fn words_that_are_ordinary_elsewhere_count_only_when_they_are_shouted_or_spelled() {
    for (text, tier) in
        [("basta", Tier::Unsure), ("BASTA", Tier::Likely), ("halt", Tier::Unsure), ("p a r e", Tier::Likely), ("acha", Tier::Unsure)]
    {
        let meaning = read_reply(text).meaning.expect("it may be meant");
        assert_eq!((meaning.intent, meaning.tier), (Intent::OptOut, tier), "{text}");
    }
}

#[test]
fn a_keyword_that_is_asked_is_left_to_a_person() {
    assert_eq!(read_reply("stop?").suspected(), Some(Intent::OptOut));
    assert_eq!(read_reply("unsubscribe?").intent(), Intent::OptOut);
}

#[test]
fn a_bare_yes_or_no_is_an_answer() {
    for text in ["YES", "yes please", "Y", "ok", "no", "No, thank you", "👍"] {
        assert_eq!(read_reply(text).intent(), Intent::None, "{text}");
    }
}

#[test]
fn what_follows_a_blank_line_is_a_signature() {
    let reply = read_reply("Stop\n\nSent from my mobile, Anna Example");
    assert_eq!((reply.intent(), reply.meaning.map(|meaning| meaning.tier)), (Intent::OptOut, Some(Tier::Likely)));
}

#[test]
fn a_slip_of_the_finger_is_likely_and_another_word_is_nothing() {
    for text in ["stpo", "sttop", "dtop", "optuot", "unsubscirbe", "abbestelen", "avsluuta", "отписатса"] {
        let meaning = read_reply(text).meaning.unwrap_or_else(|| panic!("`{text}` says nothing"));
        assert_eq!(meaning.intent, Intent::OptOut, "{text}");
    }
    for text in
        ["shop", "step", "top", "spot", "quiet", "quite", "cancer", "john", "into", "held", "story", "smart", "send", "weekend", "friend"]
    {
        assert_eq!(read_reply(text).meaning, None, "{text}");
    }
}
