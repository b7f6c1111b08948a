//! Source: what the text of this crate must not say (R26).

use std::fs;
use std::path::{Path, PathBuf};

fn sources() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let sources: Vec<_> = files.map(|path| (path.clone(), fs::read_to_string(&path).unwrap())).collect();
    assert!(sources.len() > 8, "only {} files were found", sources.len());
    sources
}

/// Everything but the tests at the end of a file.
fn code(text: &str) -> &str {
    text.split("\n#[cfg(test)]\n").next().unwrap()
}

#[test]
fn r26_no_function_takes_an_address_to_dial() {
    for (path, text) in sources() {
        for line in code(&text).lines().filter(|line| line.contains("fn ")) {
            let takes = line.split("->").next().unwrap();
            let is_dialing = takes.contains("SocketAddr") || (takes.contains("IpAddr") && takes.contains("pub fn"));
            let is_answer = takes.contains("impl Iterator<Item = SocketAddr>") || takes.contains("peer: Option<SocketAddr>");
            assert!(!is_dialing || is_answer, "{}: {line}", path.display());
        }
    }
}

#[test]
fn r26_a_socket_is_opened_in_one_place() {
    let opens: Vec<_> = sources().into_iter().filter(|(_, text)| code(text).contains("TcpStream::connect")).collect();
    assert_eq!(opens.len(), 1);
    assert_eq!(code(&opens[0].1).matches("TcpStream::connect").count(), 1);
    assert!(code(&opens[0].1).contains("TcpStream::connect_timeout(&address.socket_addr(), limit)"));
}

#[test]
fn ureq_is_known_to_one_file() {
    let knowing: Vec<_> = sources().into_iter().filter(|(_, text)| code(text).contains("ureq::")).map(|(path, _)| path).collect();
    assert!(matches!(knowing.as_slice(), [path] if path.ends_with("exchange.rs")), "{knowing:?}");
}

#[test]
fn r44_ureq_has_its_exact_version_and_none_of_its_features() {
    let manifest = |path: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    assert!(manifest("../../Cargo.toml").lines().any(|line| line == r#"ureq = { version = "=3.5.1", default-features = false }"#));
    assert!(manifest("Cargo.toml").lines().any(|line| line == "ureq.workspace = true"));
}
