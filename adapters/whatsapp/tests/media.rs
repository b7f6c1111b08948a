//! Media: files are fetched whole and genuine, and the token goes to nobody but Meta.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what cannot be made fails its test")]

mod support;

use futures_executor::block_on;
use gatepost::{HttpAnswer, HttpFailureClass, InstanceId, MEDIA_BYTES_MAX, Media, MediaFailure, MediaRef, MediaSource};
use gatepost_whatsapp::cloud::CloudApi;
use gatepost_whatsapp::evolution::Evolution;
use gatepost_whatsapp::fake::{FakeEvolution, FakeFile, FakeGraph};
use serde_json::{Value, json as made};
use support::stage::{PATIENCE, Stage, fake_evolution, graph};
use support::{ACCOUNT, Bench, INSTANCE, Says, Settings, answer, with_headers};

const ID: &str = "4120532427833355";
/// The token of the settings.
const TOKEN: &str = "Bearer EAAJ-token";

fn file() -> MediaRef {
    MediaRef { id: ID.to_owned(), mime_type: Some(String::from("image/webp")) }
}

fn fetch(stage: &Stage, source: &impl MediaSource) -> Result<Media, MediaFailure> {
    block_on(source.fetch(ACCOUNT, INSTANCE, &file(), stage.deadline(PATIENCE)))
}

/// What comes of a file that the graph tells these lies about.
fn fetch_with(lies: Value, adjust: impl FnOnce(&mut FakeFile)) -> Result<Media, MediaFailure> {
    let (stage, graph) = (Stage::new(), graph());
    let mut file = FakeFile { lies, ..FakeFile::picture() };
    adjust(&mut file);
    graph.keep(ID, file);
    fetch(&stage, &stage.cloud(&graph))
}

fn unavailable(detail: &str) -> Result<Media, MediaFailure> {
    Err(MediaFailure::Unavailable(detail.to_owned()))
}

fn refused(detail: &str) -> Result<Media, MediaFailure> {
    Err(MediaFailure::Refused(detail.to_owned()))
}

const ANOTHER: &str = "what came is not the file that was announced";
const ELSEWHERE: &str = "the link leads to a host that is not Meta's";

#[test]
fn a_file_is_asked_for_twice_with_the_token_and_comes_whole() {
    let (stage, graph) = (Stage::new(), graph());
    graph.keep(ID, FakeFile::picture());
    assert_eq!(fetch(&stage, &stage.cloud(&graph)), Ok(Media::new("image/png", FakeFile::picture().bytes)));
    let asked = graph.received();
    let paths: Vec<_> = asked.iter().map(|received| (received.method.as_str(), received.path.as_str())).collect();
    let (info, link) = (format!("/v25.0/{ID}?phone_number_id=800700600500401"), format!("/whatsapp_business/{ID}"));
    assert_eq!(paths, [("GET", info.as_str()), ("GET", link.as_str())]);
    assert!(asked.iter().all(|received| received.header("authorization") == Some(TOKEN)));
}

#[test]
fn what_is_not_what_was_announced_is_not_taken() {
    assert_eq!(fetch_with(made!({"sha256": "0".repeat(64)}), |_| {}), unavailable(ANOTHER));
    assert_eq!(fetch_with(made!({"sha256": "x"}), |_| {}), unavailable(ANOTHER));
    assert_eq!(fetch_with(made!({"file_size": 1}), |_| {}), unavailable(ANOTHER));
    assert_eq!(fetch_with(made!({"file_size": -1}), |_| {}), unavailable(ANOTHER));
}

#[test]
fn a_hash_may_be_written_in_both_forms_or_not_at_all() {
    let hash = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    for sha256 in [made!(hash), made!(hash.to_uppercase()), made!("LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="), made!(null)] {
        let fetched = fetch_with(made!({"sha256": sha256, "file_size": null}), |file| file.bytes = b"hello".to_vec());
        assert_eq!(fetched, Ok(Media::new("image/png", b"hello".to_vec())), "{sha256}");
    }
}

#[test]
fn what_is_too_large_is_not_fetched_even_where_it_was_said_to_be_small() {
    let stage = Stage::new();
    let graph = graph();
    graph.keep(ID, FakeFile { lies: made!({"file_size": MEDIA_BYTES_MAX + 1}), ..FakeFile::picture() });
    assert_eq!(fetch(&stage, &stage.cloud(&graph)), Err(MediaFailure::TooLarge));
    assert_eq!(graph.received().len(), 1);
    let grown = |file: &mut FakeFile| file.bytes = vec![7; MEDIA_BYTES_MAX + 9];
    assert_eq!(fetch_with(made!({"file_size": 223}), grown), Err(MediaFailure::TooLarge));
    let largest = fetch_with(made!({}), |file| file.bytes = vec![7; MEDIA_BYTES_MAX]);
    assert_eq!(largest.map(|media| media.bytes.len()), Ok(MEDIA_BYTES_MAX));
}

#[test]
fn another_host_never_gets_the_token() {
    let (stage, graph, other) = (Stage::new(), graph(), FakeGraph::start("8007", "9001").unwrap());
    other.keep(ID, FakeFile::picture());
    let url = format!("{}/whatsapp_business/{ID}", other.url());
    graph.keep(ID, FakeFile { lies: made!({"url": url}), ..FakeFile::picture() });
    assert_eq!(fetch(&stage, &stage.cloud(&graph)), refused(ELSEWHERE));
    assert!(other.received().is_empty());
}

fn bench() -> Bench<CloudApi> {
    Bench::new(Settings::default(), |(http, policy, accounts, host)| CloudApi::new(http, policy, accounts, host))
}

fn fetch_by<T: MediaSource + gatepost::Transport>(bench: &Bench<T>) -> Result<Media, MediaFailure> {
    block_on(bench.transport.fetch(ACCOUNT, INSTANCE, &file(), bench.deadline()))
}

#[test]
fn a_link_is_followed_to_metas_hosts_only() {
    for (url, is_followed) in [
        ("https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1&ext=2", true),
        ("https://mmg.whatsapp.net/1", true),
        ("https://graph.facebook.com/1", true),
        ("https://LOOKASIDE.FBSBX.COM/1", true),
        ("https://lookaside.fbsbx.com./1", false),
        ("http://lookaside.fbsbx.com/1", false),
        ("https://lookaside.fbsbx.com:8443/1", false),
        ("https://fbsbx.com/1", false),
        ("https://evilfbsbx.com/1", false),
        ("https://lookaside.fbsbx.com.evil.example.com/1", false),
        ("https://lookaside.fbsbx.com@evil.example.com/1", false),
        ("https://evil.example.com/?.fbsbx.com", false),
        ("https://evil.example.com#.fbsbx.com", false),
        ("https://93.184.215.14/1", false),
        ("https://169.254.169.254/.fbsbx.com", false),
        ("", false),
    ] {
        let bench = bench();
        bench.script.then(answer(200, made!({"url": url}).to_string()));
        bench.script.then(answer(200, "hello"));
        let fetched = fetch_by(&bench);
        let asked = bench.script.asked();
        if is_followed {
            assert_eq!(fetched, Ok(Media::new("image/webp", b"hello".to_vec())), "{url}");
            assert!(asked[1].headers.contains(&("authorization".into(), TOKEN.to_owned())), "{url}");
            assert_eq!(asked[1].answer_bytes_max, MEDIA_BYTES_MAX);
        } else {
            assert_eq!((fetched, asked.len()), (refused(ELSEWHERE), 1), "{url}");
        }
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let bench = bench();
    bench.script.then(answer(200, r#"{"url":"https://lookaside.fbsbx.com/1"}"#));
    bench.script.then(with_headers(302, &[("location", "https://evil.example.com/")], ""));
    assert_eq!((fetch_by(&bench), bench.script.asked().len()), (refused("status 302"), 2));
}

#[test]
fn what_meta_does_not_have_any_more_is_gone() {
    let (stage, graph) = (Stage::new(), graph());
    assert_eq!(fetch(&stage, &stage.cloud(&graph)), Err(MediaFailure::Gone));
    let url = format!("{}/whatsapp_business/expired", graph.url());
    graph.keep(ID, FakeFile { lies: made!({"url": url}), ..FakeFile::picture() });
    assert_eq!(fetch(&stage, &stage.cloud(&graph)), Err(MediaFailure::Gone));
}

#[test]
fn why_meta_says_nothing_is_told() {
    let error = |code: i64| made!({"error": {"code": code, "message": "no"}}).to_string();
    for (says, expected) in [
        (answer(404, ""), Err(MediaFailure::Gone)),
        (answer(401, error(190)), refused("code 190, status 401")),
        (answer(403, error(10)), refused("code 10, status 403")),
        (answer(400, error(100)), refused("code 100, status 400")),
        (answer(429, error(80_007)), unavailable("code 80007, status 429")),
        (answer(503, "<html>"), unavailable("status 503")),
        (answer(200, "<html>"), unavailable("the answer names no file")),
        (answer(200, "{}"), unavailable("the answer names no file")),
        (Says::Fails { class: HttpFailureClass::Timeout, may_have_arrived: true }, unavailable("timeout")),
        (Says::Fails { class: HttpFailureClass::Overloaded, may_have_arrived: false }, unavailable("throttled")),
    ] {
        let bench = bench();
        bench.script.then(says);
        assert_eq!(fetch_by(&bench), expected);
    }
}

#[test]
fn a_type_that_a_browser_would_run_is_not_told() {
    for (stated, expected) in [
        ("text/html", "application/octet-stream"),
        ("image/svg+xml", "application/octet-stream"),
        ("audio/ogg; codecs=opus", "audio/ogg; codecs=opus"),
    ] {
        let fetched = fetch_with(made!({}), |file| stated.clone_into(&mut file.mime_type)).unwrap();
        assert_eq!(fetched.mime_type, expected);
    }
}

#[test]
fn an_instance_without_settings_fetches_nothing() {
    let elsewhere = InstanceId::from_bytes([9; 16]);
    let (cloud, evolution) = (bench(), evolution_bench());
    let fetched = block_on(cloud.transport.fetch(ACCOUNT, elsewhere, &file(), cloud.deadline()));
    assert_eq!(fetched, Err(MediaFailure::NotSetUp));
    let fetched = block_on(evolution.transport.fetch(ACCOUNT, elsewhere, &file(), evolution.deadline()));
    assert_eq!(fetched, unavailable("the settings of the instance cannot be read now"));
}

fn evolution_bench() -> Bench<Evolution> {
    Bench::new(Settings::default(), |(http, policy, accounts, host)| Evolution::new(http, policy, accounts, host))
}

#[test]
fn evolution_is_asked_by_the_id_of_the_message() {
    let (stage, fake) = (Stage::new(), fake_evolution());
    fake.keep(ID, FakeFile::picture());
    assert_eq!(fetch(&stage, &stage.evolution(&fake)), Ok(Media::new("image/png", FakeFile::picture().bytes)));
    let asked = fake.received().remove(0);
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/chat/getBase64FromMediaMessage/acme-main"));
    assert_eq!(asked.body, made!({"message": {"key": {"id": ID}}, "convertToMp4": false}));
    assert_eq!(asked.header("apikey"), Some("EVO-SYNTHETIC-KEY"));
}

#[test]
fn the_largest_file_fits_into_an_answer_of_evolution_and_no_larger_one() {
    let (stage, fake) = (Stage::new(), fake_evolution());
    fake.keep(ID, FakeFile { bytes: vec![7; MEDIA_BYTES_MAX], ..FakeFile::picture() });
    let fetched = fetch(&stage, &stage.evolution(&fake));
    assert_eq!(fetched.map(|media| media.bytes.len()), Ok(MEDIA_BYTES_MAX));

    let bench = evolution_bench();
    bench.script.then(answer(201, format!(r#"{{"base64":"{}"}}"#, "AAAA".repeat(MEDIA_BYTES_MAX / 3 + 1))));
    assert_eq!(fetch_by(&bench), Err(MediaFailure::TooLarge));
    let bytes_max = bench.script.asked()[0].answer_bytes_max;
    bench.script.then(cut(vec![b' '; bytes_max]));
    assert_eq!(fetch_by(&bench), Err(MediaFailure::TooLarge));
}

/// An answer of which there was more.
fn cut(body: Vec<u8>) -> Says {
    let Says::Answer(whole) = answer(200, body) else { unreachable!() };
    Says::Answer(HttpAnswer { body_cut: true, ..whole })
}

#[test]
fn what_breaks_off_is_not_taken() {
    let evolution = evolution_bench();
    evolution.script.then(cut(br#"{"base64":"aGVsbG8="}"#.to_vec()));
    assert_eq!(fetch_by(&evolution), unavailable("the answer broke off"));
    let cloud = bench();
    cloud.script.then(answer(200, r#"{"url":"https://lookaside.fbsbx.com/1"}"#));
    cloud.script.then(cut(b"hello".to_vec()));
    assert_eq!(fetch_by(&cloud), unavailable("the answer broke off"));
}

#[test]
fn why_evolution_says_nothing_is_told() {
    let (stage, fake) = (Stage::new(), fake_evolution());
    assert_eq!(fetch(&stage, &stage.evolution(&fake)), Err(MediaFailure::Gone));
    let other = FakeEvolution::start("another", "EVO-SYNTHETIC-KEY").unwrap();
    assert_eq!(fetch(&stage, &stage.evolution(&other)), Err(MediaFailure::NotSetUp));
    let stranger = FakeEvolution::start("acme-main", "another-key").unwrap();
    assert_eq!(fetch(&stage, &stage.evolution(&stranger)), refused("status 401"));
    for (says, expected) in [
        (answer(404, ""), Err(MediaFailure::Gone)),
        (answer(400, r#"{"response":{"message":["The message is not of the media type"]}}"#), Err(MediaFailure::Gone)),
        (answer(400, r#"{"response":{"message":["Error: Connection Closed"]}}"#), refused("status 400")),
        (answer(201, r#"{"code":190}"#), refused("code 190, status 201")),
        (answer(201, "{}"), unavailable("status 201")),
        (answer(201, r#"{"base64":"="}"#), unavailable("the answer is not Base64")),
        (answer(500, r#"{"base64":""}"#), unavailable("status 500")),
        (Says::Fails { class: HttpFailureClass::Broken, may_have_arrived: true }, unavailable("broken")),
    ] {
        let bench = evolution_bench();
        bench.script.then(says);
        assert_eq!(fetch_by(&bench), expected);
    }
}
