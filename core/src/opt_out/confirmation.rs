//! Confirmation: the one text that tells a person that they will be left in peace.
//!
//! It is the last one they get: who writes, that no more follows, and the word that takes it back; nothing that promotes. The words are
//! our own knowledge of the languages, as those of the detector are. No native speaker has checked them. Each language is written in one
//! script: who opted out in Hindi or Urdu in Latin letters, or in Serbian in Cyrillic ones, gets the other.

use alloc::string::String;

use super::Language;
use crate::{Name, Text};

/// What confirms an opt-out that was understood in a language. [`Language::Multiple`] is answered in English.
///
/// The brand stands in it as it is: one with an address or a code in its name brings them along.
///
/// ```
/// use gatepost::{Intent, Language, Tier, confirmation, read_reply};
///
/// let text = confirmation(Language::English, &"Clinic Rose".parse()?);
/// assert_eq!(text.as_str(), "Clinic Rose: you will get no more messages from us. To get them again, reply START.");
///
/// let meaning = read_reply("START").meaning.ok_or("nothing is understood")?;
/// assert_eq!((meaning.intent, meaning.tier), (Intent::OptIn, Tier::Certain));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn confirmation(language: Language, brand: &Name) -> Text {
    let (text, resume) = row(language);
    let text = text.replace("{resume}", resume);
    Text::known(if is_right_to_left(language) {
        text.replace("{brand}", &isolated(brand))
    } else {
        text.replace("{brand}", brand.as_str())
    })
}

/// The brand, which may be written from left to right, so that it does not turn what stands around it.
fn isolated(brand: &Name) -> String {
    alloc::format!("\u{2068}{brand}\u{2069}")
}

/// Then the brand does not come first either: the first letter says in which direction a phone shows the text.
const fn is_right_to_left(language: Language) -> bool {
    matches!(language, Language::Arabic | Language::Hebrew | Language::Persian | Language::Urdu)
}

/// The text, and the word that takes it back.
const fn row(language: Language) -> (&'static str, &'static str) {
    match language {
        Language::Multiple | Language::English => {
            ("{brand}: you will get no more messages from us. To get them again, reply {resume}.", "START")
        }
        Language::Arabic => ("لن تصلك رسائل أخرى من {brand}. لاستقبالها من جديد أرسل {resume}.", "ابدأ"),
        Language::Bulgarian => {
            ("{brand}: няма да получавате повече съобщения от нас. За да ги получавате отново, отговорете {resume}.", "СТАРТ")
        }
        Language::Bengali => ("{brand}: আপনি আমাদের কাছ থেকে আর কোনো বার্তা পাবেন না। আবার পেতে {resume} লিখে উত্তর দিন।", "শুরু"),
        Language::Catalan => ("{brand}: no rebreu més missatges nostres. Per tornar-los a rebre, responeu {resume}.", "ALTA"),
        Language::Czech => ("{brand}: další zprávy od nás už nedostanete. Chcete-li je znovu dostávat, odpovězte {resume}.", "OBNOVIT"),
        Language::Danish => ("{brand}: du får ikke flere beskeder fra os. Vil du have dem igen, så svar {resume}.", "TILMELD"),
        Language::German => {
            ("{brand}: Sie erhalten keine Nachrichten mehr von uns. Um wieder welche zu erhalten, antworten Sie {resume}.", "ANMELDEN")
        }
        Language::Greek => ("{brand}: δεν θα λάβετε άλλα μηνύματα από εμάς. Για να τα λαμβάνετε ξανά, απαντήστε {resume}.", "ΕΝΑΡΞΗ"),
        Language::Spanish => ("{brand}: no recibirá más mensajes nuestros. Para volver a recibirlos, responda {resume}.", "ALTA"),
        Language::Persian => ("دیگر پیامی از {brand} دریافت نخواهید کرد. برای دریافت دوباره {resume} را بفرستید.", "شروع"),
        Language::Finnish => ("{brand}: et saa meiltä enää viestejä. Jos haluat niitä taas, vastaa {resume}.", "ALOITA"),
        Language::French => {
            ("{brand} : vous ne recevrez plus de messages de notre part. Pour en recevoir à nouveau, répondez {resume}.", "REPRENDRE")
        }
        Language::Hebrew => ("לא תקבלו עוד הודעות מאת {brand}. כדי לקבל אותן שוב, השיבו {resume}.", "הצטרף"),
        Language::Hindi => ("{brand}: अब आपको हमारी ओर से कोई संदेश नहीं मिलेगा। फिर से पाने के लिए {resume} लिखकर जवाब दें।", "शुरू"),
        Language::Hungarian => {
            ("{brand}: nem küldünk Önnek több üzenetet. Ha újra szeretne kapni, válaszoljon így: {resume}.", "FELIRATKOZÁS")
        }
        Language::Indonesian => {
            ("{brand}: Anda tidak akan menerima pesan lagi dari kami. Untuk menerimanya kembali, balas {resume}.", "MULAI")
        }
        Language::Italian => ("{brand}: non riceverà più messaggi da noi. Per riceverli di nuovo, risponda {resume}.", "RIPRENDI"),
        Language::Japanese => {
            ("{brand}：今後、こちらからメッセージをお送りしません。再び受け取るには「{resume}」と返信してください。", "再開")
        }
        Language::Korean => ("{brand}: 앞으로 메시지를 보내지 않습니다. 다시 받으시려면 {resume}라고 답장해 주세요.", "재개"),
        Language::Malay => {
            ("{brand}: anda tidak akan menerima mesej lagi daripada kami. Untuk menerimanya semula, balas {resume}.", "MULA")
        }
        Language::Norwegian => ("{brand}: du får ikke flere meldinger fra oss. Vil du ha dem igjen, svar {resume}.", "PÅMELD"),
        Language::Dutch => {
            ("{brand}: u ontvangt geen berichten meer van ons. Wilt u ze weer ontvangen, antwoord dan {resume}.", "AANMELDEN")
        }
        Language::Polish => ("{brand}: nie wyślemy już żadnych wiadomości. Aby znów je otrzymywać, odpowiedz {resume}.", "WZNÓW"),
        Language::Portuguese => ("{brand}: não receberá mais mensagens nossas. Para voltar a recebê-las, responda {resume}.", "VOLTAR"),
        Language::Romanian => ("{brand}: nu veți mai primi mesaje de la noi. Pentru a le primi din nou, răspundeți {resume}.", "RELUARE"),
        Language::Russian => ("{brand}: больше сообщений от нас не будет. Чтобы снова их получать, ответьте {resume}.", "СТАРТ"),
        Language::Serbian => ("{brand}: više nećete dobijati poruke od nas. Da biste ih ponovo dobijali, odgovorite {resume}.", "PRIJAVA"),
        Language::Swedish => ("{brand}: du får inga fler meddelanden från oss. Vill du få dem igen, svara {resume}.", "STARTA"),
        Language::Swahili => ("{brand}: hutapokea ujumbe zaidi kutoka kwetu. Ili kuupokea tena, jibu {resume}.", "ANZA"),
        Language::Tamil => ("{brand}: எங்களிடமிருந்து இனி செய்திகள் வராது. மீண்டும் பெற {resume} என்று பதில் அனுப்பவும்.", "தொடங்கு"),
        Language::Thai => ("{brand}: คุณจะไม่ได้รับข้อความจากเราอีก หากต้องการรับอีกครั้ง โปรดตอบกลับว่า {resume}", "สมัคร"),
        Language::Tagalog => {
            ("{brand}: hindi ka na makakatanggap ng mensahe mula sa amin. Para makatanggap muli, sumagot ng {resume}.", "SIMULAN")
        }
        Language::Turkish => ("{brand}: bizden artık mesaj almayacaksınız. Yeniden almak için {resume} yazıp yanıtlayın.", "BAŞLAT"),
        Language::Ukrainian => {
            ("{brand}: ви більше не отримуватимете повідомлень від нас. Щоб знову їх отримувати, надішліть {resume}.", "СТАРТ")
        }
        Language::Urdu => ("آپ کو {brand} کی طرف سے مزید پیغامات نہیں ملیں گے۔ دوبارہ پانے کے لیے {resume} لکھ کر جواب دیں۔", "شروع"),
        Language::Vietnamese => ("{brand}: bạn sẽ không nhận thêm tin nhắn từ chúng tôi. Để nhận lại, hãy trả lời {resume}.", "ĐĂNG KÝ"),
        Language::Chinese => ("{brand}：您不会再收到我们的消息。如需重新接收，请回复“{resume}”。", "恢复"),
    }
}

#[cfg(test)]
mod tests {
    //! What every row of the table must keep.

    use alloc::string::ToString;

    use super::*;
    use crate::{Content, Intent, Tier, is_one_time_code, read_reply};

    const BRAND: &str = "Clinic Rose";

    fn check(keeps: impl Fn(Language, &str) -> bool) {
        for language in Language::ALL {
            let text = confirmation(*language, &BRAND.parse().unwrap());
            assert!(keeps(*language, text.as_str()), "{language}: {}", text.as_str());
        }
    }

    #[test]
    fn the_word_that_takes_it_back_is_certain_and_stands_in_the_text() {
        check(|language, text| {
            let (_, resume) = row(language);
            let meaning = read_reply(resume).meaning;
            text.contains(resume) && meaning.is_some_and(|meaning| (meaning.intent, meaning.tier) == (Intent::OptIn, Tier::Certain))
        });
    }

    #[test]
    fn the_brand_is_named_once_and_nothing_is_left_to_fill_in() {
        check(|_, text| text.matches(BRAND).count() == 1 && !text.contains(['{', '}']));
    }

    #[test]
    fn it_has_neither_a_code_nor_a_link() {
        check(|_, text| {
            let content = Content::Text { text: text.parse().unwrap() };
            let has_link = text.split(char::is_whitespace).any(|word| word.trim_end_matches('.').contains(['.', '/', '@']));
            !is_one_time_code(&content) && !has_link && !text.contains(char::is_numeric)
        });
    }

    #[test]
    fn it_is_short_even_with_the_longest_brand() {
        let brand: Name = "W".repeat(100).parse().unwrap();
        for language in Language::ALL {
            let text = confirmation(*language, &brand);
            assert!(text.as_str().chars().count() <= 300, "{language}");
            assert_eq!(text, text.as_str().parse().unwrap(), "{language}");
        }
    }

    #[test]
    fn a_brand_stands_as_it_is() {
        let text = confirmation(Language::English, &"{resume} {brand}".parse().unwrap());
        assert_eq!(text.as_str(), "{resume} {brand}: you will get no more messages from us. To get them again, reply START.");
    }

    #[test]
    fn a_text_from_right_to_left_begins_and_ends_so_and_keeps_the_brand_apart() {
        let is_of_right_to_left = |letter: char| matches!(letter, '\u{590}'..='\u{6FF}');
        check(|language, text| {
            let letters = || text.chars().filter(|character| character.is_alphabetic());
            let brand = alloc::format!("\u{2068}{BRAND}\u{2069}");
            let turns = letters().next().is_some_and(is_of_right_to_left) && letters().next_back().is_some_and(is_of_right_to_left);
            let others = text.replace(&brand, "").chars().filter(|character| character.is_alphabetic()).all(is_of_right_to_left);
            turns == is_right_to_left(language) && (!turns || others && text.contains(&brand))
        });
    }

    #[test]
    fn every_language_has_a_text_of_its_own() {
        let texts = Language::ALL.iter().map(|language| row(*language).0.to_string());
        assert_eq!(texts.collect::<alloc::collections::BTreeSet<_>>().len(), Language::ALL.len() - 1);
    }
}
