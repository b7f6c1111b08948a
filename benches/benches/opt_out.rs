//! How long reading a reply takes: keywords, sentences of 160 characters in several scripts, and texts made to be slow. After the
//! usual figures come the percentiles of single calls, for the promise is one about the slowest in a hundred.

#![allow(clippy::expect_used, missing_docs, reason = "a bench that cannot run fails by panicking")]

use std::hint::black_box;
use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use gatepost::read_reply;
use hdrhistogram::Histogram;

const CALLS: usize = 20_000;
/// A call that takes longer counts as one of a minute.
const NANOSECONDS_MAX: u64 = 60_000_000_000;

/// What is read, by name. All but the keyword are cut or repeated to 160 characters.
fn texts() -> Vec<(&'static str, String)> {
    let of_160 = |text: &str| text.chars().cycle().take(160).collect::<String>();
    vec![
        ("keyword", "STOP".to_owned()),
        (
            "chat",
            of_160(
                "I'll be there at six, can you tell the driver to wait at the next stop and send me the address of the shop again please? ",
            ),
        ),
        (
            "english",
            of_160(
                "Hi there, I keep getting these and I really do not want them, so please take my number off your list and stop texting me. ",
            ),
        ),
        (
            "spanish",
            of_160("Buenos días, les pido por favor que dejen de mandarme mensajes y que borren mi número de su base de datos, gracias. "),
        ),
        ("vietnamese", of_160("Xin chào, vui lòng ngừng gửi tin nhắn cho tôi và xóa số điện thoại của tôi khỏi danh sách, cảm ơn nhiều. ")),
        ("russian", of_160("Здравствуйте, уберите пожалуйста мой номер из вашей базы и больше не присылайте мне рекламу. ")),
        ("arabic", of_160("السلام عليكم، من فضلكم لا ترسلوا لي رسائل بعد الآن واحذفوا رقمي من القائمة. ")),
        ("hindi", of_160("नमस्ते, कृपया मुझे और मैसेज मत भेजिए और मेरा नंबर अपनी लिस्ट से हटा दें। ")),
        ("chinese", of_160("你好，请不要再给我发短信了，把我的号码从名单里删掉，谢谢。")),
        ("japanese", of_160("お世話になります。もうメッセージを送らないでください。リストから番号を削除してください。")),
        ("slow_stops", of_160("stop sms no texting me ")),
        ("slow_letters", of_160("S.T.O.P ")),
    ]
}

fn replies(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read_reply");
    for (name, text) in texts() {
        group.bench_function(name, |bencher| bencher.iter(|| read_reply(black_box(&text))));
    }
    group.finish();
    texts().iter().for_each(|(name, text)| report(name, text));
}

fn report(name: &str, text: &str) {
    let mut nanoseconds = Histogram::<u64>::new_with_bounds(1, NANOSECONDS_MAX, 3).expect("bounds that are allowed");
    for _ in 0..CALLS {
        let start = Instant::now();
        black_box(read_reply(black_box(text)));
        nanoseconds.saturating_record(u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
    }
    let microseconds = |quantile| nanoseconds.value_at_quantile(quantile) as f64 / 1000.0;
    println!("{name}: p50 {:.1} us, p99 {:.1} us", microseconds(0.5), microseconds(0.99));
}

criterion_group!(benches, replies);
criterion_main!(benches);
