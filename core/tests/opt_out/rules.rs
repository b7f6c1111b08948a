//! Rules: what each rule of the grammar understands, in more than one language.

use gatepost::{Cause, Intent, ReplyRule, Tier, read_reply};

fn check(rule: ReplyRule, intent: Intent, texts: &[&str]) {
    for text in texts {
        let meaning = read_reply(text).meaning.unwrap_or_else(|| panic!("`{text}` says nothing"));
        assert_eq!((meaning.intent, meaning.rule, meaning.tier), (intent, rule, Tier::Likely), "{text}");
    }
}

#[test]
fn unsubscribing_in_a_sentence() {
    let texts =
        ["I want to unsubscribe", "how do I opt out?", "désabonnez-moi svp", "wie kann ich mich abmelden?", "как отписаться от рассылки?"];
    check(ReplyRule::Unsubscribe, Intent::OptOut, &texts);
}

#[test]
fn stopping_the_sending_or_the_messages() {
    let texts = [
        "stop sending me these",
        "we sold the car, stop the service reminders",
        "text stop",
        "dejen de mandarme mensajes",
        "mesaj göndermeyi bırakın",
        "मैसेज भेजना बंद करो",
        "停止发送这些消息",
        "문자 그만 보내주세요",
    ];
    check(ReplyRule::StopSending, Intent::OptOut, &texts);
}

#[test]
fn removing_a_person_or_a_number() {
    let texts = [
        "remove this number",
        "delete my details from your database",
        "retirez mon numéro de votre liste",
        "удалите мой номер",
        "把我的号码删掉",
    ];
    check(ReplyRule::RemoveMe, Intent::OptOut, &texts);
}

#[test]
fn forbidding_to_write() {
    let texts = [
        "please do not text me again",
        "no me escriban más",
        "schreibt mir nicht mehr",
        "не пишите мне",
        "لا تراسلوني",
        "mujhe message mat bhejo",
        "もう送らないでください",
        "อย่าส่งข้อความมาอีก",
    ];
    check(ReplyRule::DoNotSend, Intent::OptOut, &texts);
}

#[test]
fn not_wanting_them() {
    let texts =
        ["I don't want these messages", "je ne veux plus recevoir vos messages", "nie chcę dostawać smsów", "SMS almak istemiyorum"];
    check(ReplyRule::NotWanted, Intent::OptOut, &texts);
}

#[test]
fn wanting_no_more() {
    check(
        ReplyRule::NoMore,
        Intent::OptOut,
        &["no more reminders, thank you", "keine Werbung mehr bitte", "geen reclame meer", "больше никаких смс"],
    );
}

#[test]
fn cancelling_the_messages() {
    check(
        ReplyRule::CancelSubscription,
        Intent::OptOut,
        &["cancel my text alerts", "cancelen estos avisos al móvil", "cancelar as mensagens"],
    );
}

#[test]
fn asking_to_be_left_alone() {
    check(ReplyRule::LeaveMe, Intent::OptOut, &["leave me alone", "laissez-moi tranquille", "lassen Sie mich in Ruhe", "отстаньте"]);
}

#[test]
fn a_stop_with_little_else() {
    let texts =
        ["I said stop", "stop it now", "This is spam. Stop.", "not interested stop", "I have asked twice already - STOP", "stop 12345"];
    for text in texts {
        assert_eq!(read_reply(text).intent(), Intent::OptOut, "{text}");
    }
}

#[test]
fn what_is_not_wanted_may_be_named_before() {
    check(ReplyRule::NotWanted, Intent::OptOut, &["I keep getting these and I don't want them"]);
}

#[test]
fn coming_back() {
    check(ReplyRule::Resume, Intent::OptIn, &["please resume my alerts", "put me back on the list"]);
    check(ReplyRule::Again, Intent::OptIn, &["I want to receive messages again", "haluan taas viestejä"]);
    check(ReplyRule::Join, Intent::OptIn, &["subscribe me to the list", "start the messages please"]);
}

#[test]
fn a_mistake_is_taken_back() {
    for text in
        ["I unsubscribed by mistake, put me back", "間違えて停止したので再開してください", "avslutade av misstag, lägg till mig igen"]
    {
        assert_eq!(read_reply(text).intent(), Intent::OptIn, "{text}");
    }
}

#[test]
fn asking_for_help_with_the_messages() {
    check(ReplyRule::AskHelp, Intent::Help, &["I need help with these messages", "necesito ayuda con estos mensajes"]);
    check(ReplyRule::AskAbout, Intent::Help, &["how does this text service work?", "c'est quoi ce service ?"]);
}

#[test]
fn a_sentence_stands_for_the_cause_natural_language() {
    assert_eq!(read_reply("please stop texting me").cause(), Some(Cause::NaturalLanguage));
}

#[test]
fn what_can_be_meant_otherwise_is_left_to_a_person() {
    for text in ["wrong number", "spam", "not interested", "cancel my subscription", "Stop. Wait, no, keep them"] {
        let reply = read_reply(text);
        assert_eq!((reply.intent(), reply.suspected()), (Intent::None, Some(Intent::OptOut)), "{text}");
        assert_eq!(reply.cause(), None, "{text}");
    }
}

#[test]
fn several_clauses_are_seen_together() {
    for text in [
        "My mother passed away, please stop messaging this number",
        "Hi, could you take me off the list? Thanks!",
        "هذا الرقم غلط، لا ترسلوا",
    ] {
        assert_eq!(read_reply(text).intent(), Intent::OptOut, "{text}");
    }
}
