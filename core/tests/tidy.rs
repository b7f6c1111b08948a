//! Tidy: what the documents say is there is there.
//!
//! A link whose text is the name of a test is a proof: the file it leads to must have a function of that name, or a row of that name in
//! one of its tables of tests.

#![allow(clippy::unwrap_used, reason = "a file that cannot be read fails its test")]
#![expect(clippy::disallowed_methods, reason = "this test reads the project itself")]

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_link_of_a_document_leads_somewhere_and_every_proof_is_a_test() {
    let broken: Vec<String> = documents().iter().flat_map(|document| broken_links(document)).collect();
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn every_promise_names_a_proof_or_says_that_it_comes_later() {
    let promises = read(&root().join("core/docs/promises.md"));
    let sections = promises.split("\n## ").filter(|section| section.starts_with(char::is_numeric));
    let empty: Vec<_> = sections.filter(|section| !section.contains("](../") && !section.contains("Later, ")).collect();
    assert!(empty.is_empty(), "{empty:?}");
}

#[test]
fn the_embedding_example_of_the_readme_is_the_one_that_compiles() {
    let program = read(&root().join("examples/embed/src/main.rs"));
    let code: String =
        program.lines().skip_while(|line| line.starts_with("//!") || line.is_empty()).map(|line| format!("{line}\n")).collect();
    assert!(read(&root().join("README.md")).contains(&format!("```rust\n{code}```")), "the README has another program than examples/embed");
}

#[test]
fn the_tests_are_passed_by_the_command_of_the_readme() {
    let command = "cargo test --workspace";
    assert!(read(&root().join("README.md")).lines().any(|line| line.trim() == command));
    assert!(read(&root().join(".ci/run")).contains(&format!("{command} ")));
}

#[test]
fn every_file_says_first_what_it_is_about() {
    let mut sources = Vec::new();
    for folder in ["adapters", "benches", "core", "examples", "fuzz"] {
        find(&root().join(folder), "rs", &mut sources);
    }
    assert!(sources.len() > 50, "only {} files were found", sources.len());
    let mute: Vec<_> = sources.iter().filter(|source| !read(source).starts_with("//! ")).collect();
    assert!(mute.is_empty(), "{mute:#?}");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn documents() -> Vec<PathBuf> {
    let mut documents = vec![root().join("README.md"), root().join("core/CHANGELOG.md"), root().join("benches/README.md")];
    find(&root().join("core/docs"), "md", &mut documents);
    documents
}

fn find(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            find(&path, extension, found);
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn broken_links(document: &Path) -> Vec<String> {
    let text = read(document);
    let links = text.split("](").collect::<Vec<_>>();
    let pairs = links.windows(2).filter_map(|pair| Some((pair[0].rsplit_once('[')?.1, pair[1].split_once(')')?.0)));
    pairs
        .filter(|(name, target)| !is_sound(document, name, target))
        .map(|(name, target)| format!("{}: [{name}]({target})", document.display()))
        .collect()
}

fn is_sound(document: &Path, name: &str, target: &str) -> bool {
    if target.starts_with("http") {
        return true;
    }
    let Some(folder) = document.parent() else { return false };
    let path = folder.join(target);
    let proof = name.strip_prefix('`').and_then(|name| name.strip_suffix('`')).filter(|name| name.contains('_'));
    path.exists() && proof.is_none_or(|test| [format!("fn {test}("), format!(" {test}: ")].iter().any(|sign| read(&path).contains(sign)))
}
