//! Guards: what sounds like an opt-out and is none.

use gatepost::{Intent, read_reply};

fn is_none(texts: &[&str]) {
    for text in texts {
        let reply = read_reply(text);
        assert_eq!(reply.intent(), Intent::None, "{text}: {:?}", reply.meaning);
    }
}

#[test]
fn a_negation_denies_the_stop() {
    is_none(&[
        "don't stop",
        "please don't stop sending these",
        "I never want you guys to stop doing this, love it",
        "n'arrêtez pas, c'est utile",
    ]);
    is_none(&[
        "لا توقفوا",
        "不要停",
        "jangan berhenti kirim pengingat ya",
        "niet stoppen hoor",
        "止めないで",
        "band mat karna",
        "그만두지 마세요",
    ]);
}

#[test]
fn a_stop_can_be_a_place() {
    is_none(&[
        "bus stop",
        "is the next stop yours?",
        "¿en qué parada de autobús bajo?",
        "an der Haltestelle",
        "公交站在哪",
        "バス停はどこですか",
    ]);
}

#[test]
fn something_else_is_stopped() {
    is_none(&["stop by at 5", "stop laughing", "non-stop", "stop payment on the lost cheque", "stop the machine at 4", "dejen de fumar"]);
    is_none(&[
        "stoppez la machine à 16h svp",
        "the alarm doesn't stop beeping",
        "матч не остановили",
        "pankha band kar dena",
        "四点停机器",
    ]);
}

#[test]
fn something_else_is_cancelled_or_removed() {
    is_none(&[
        "cancel my order",
        "please cancel my appointment",
        "remove the onions",
        "delete the photo",
        "quiero cancelar mi cita del viernes",
    ]);
    is_none(&["anuluj zamówienie 71", "注文をキャンセルしたいです", "注文の名前を削除", "取消订单 8821", "הסר את הבצל מההזמנה"]);
}

#[test]
fn something_else_is_not_to_be_sent_or_wanted() {
    is_none(&[
        "don't send the invoice yet",
        "don't send me the red one",
        "I don't want the onions",
        "no me manden el rojo",
        "not today",
        "不要放洋葱",
    ]);
}

#[test]
fn a_keyword_in_a_longer_clause_is_a_word() {
    is_none(&[
        "I quit smoking",
        "he quit so I'm the new contact",
        "the season ends in May",
        "end of month is fine",
        "dead end",
        "when does it start",
    ]);
}

#[test]
fn a_keyword_is_never_part_of_a_word() {
    is_none(&["weekend", "send", "friend", "pending", "recommend", "attend", "I recommended it to a friend this weekend"]);
}

#[test]
fn one_speaks_of_oneself() {
    is_none(&[
        "I can't text right now",
        "I won't call you",
        "I don't call people",
        "I did not get your last text",
        "ich habe keine Nachricht erhalten",
    ]);
}

#[test]
fn it_is_asked_and_not_said() {
    is_none(&["what happens if I stop the treatment?", "no more messages?", "did you cancel my 3pm?"]);
}

#[test]
fn what_is_quoted_is_not_said() {
    is_none(&["what does \"STOP\" mean in your message", "the sign says “stop” on the corner"]);
    assert_eq!(read_reply("\"stop\"").intent(), Intent::OptOut);
}

#[test]
fn a_call_instead_of_a_text_is_no_opt_out() {
    is_none(&["call me, don't text", "don't call, text me", "Ok, be careful! Don't text and drive!"]);
}

#[test]
fn help_with_something_else_is_no_help() {
    is_none(&[
        "can you help me with my bill",
        "help yourself to the key under the mat",
        "kunt u helpen met de factuur?",
        "for your info I paid",
    ]);
}

#[test]
fn a_start_of_something_else_is_no_opt_in() {
    is_none(&["start with the kitchen", "my car won't start", "join at 5 then", "أبغى أشترك في النادي، كم السعر؟"]);
}

#[test]
fn a_noun_asks_for_nothing() {
    is_none(&["here is my resume", "at the start of the month", "the help was great"]);
}

#[test]
fn thanks_ask_for_nothing() {
    is_none(&[
        "thanks for your help",
        "merci pour votre aide",
        "danke für die Hilfe",
        "спасибо за помощь",
        "谢谢你的帮助",
        "도와주셔서 감사합니다",
    ]);
    assert_eq!(read_reply("gracias por no enviarme más mensajes").intent(), Intent::OptOut);
}
