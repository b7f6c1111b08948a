//! TLS: a server is spoken to only if an authority that is trusted vouches for the name by which it was called.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use gatepost_cluster::{Cluster, Settings};
use gatepost_postgres::{Options, migrate};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

/// An authority as PEM, and the certificate and key of a server that it vouches for by `name`.
fn vouched(name: &str) -> (String, (String, String)) {
    let mut authority = CertificateParams::new(Vec::new()).expect("parameters");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key")).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let certificate =
        CertificateParams::new(vec![name.to_owned()]).expect("parameters").signed_by(&key, &authority).expect("a certificate");
    (authority.pem(), (certificate.pem(), key.serialize_pem()))
}

/// Opens a database of a server whose certificate is for `name`, called by the name `localhost`, and says why not.
fn opened(name: &str, query: impl FnOnce(&str) -> String) -> Option<Result<(), String>> {
    Cluster::shared()?;
    let (authority, tls) = vouched(name);
    let cluster = Cluster::start(&Settings { tls: Some(tls), ..Settings::default() }).expect("a cluster");
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), authority).expect("a file");
    let path = file.path().to_str().expect("a path");
    let url = format!("{}?{}", cluster.url("postgres").replace("127.0.0.1", "localhost"), query(path));
    Some(migrate(&url, &Options::default()).map_err(|error| error.to_string()))
}

#[test]
fn a_server_that_is_vouched_for_is_spoken_to() {
    let Some(opened) = opened("localhost", |path| format!("sslmode=verify-full&sslrootcert={path}")) else { return };
    opened.expect("it is who it says");
}

#[test]
fn a_server_of_another_name_is_refused() {
    let Some(opened) = opened("db.example", |path| format!("sslmode=require&sslrootcert={path}")) else { return };
    let refusal = opened.expect_err("it is somebody else");
    assert!(refusal.contains("not valid for name"), "{refusal}");
}

#[test]
fn a_server_that_nobody_we_know_vouches_for_is_refused() {
    let Some(opened) = opened("localhost", |_| String::from("sslmode=verify-full")) else { return };
    let refusal = opened.expect_err("its authority is unknown");
    assert!(refusal.contains("UnknownIssuer"), "{refusal}");
}

#[test]
fn a_server_without_tls_is_refused_where_it_is_asked_for() {
    let Some(cluster) = Cluster::shared() else { return };
    let refusal = migrate(&format!("{}?sslmode=verify-full", cluster.url("postgres")), &Options::default()).expect_err("it speaks none");
    assert!(refusal.to_string().contains("TLS"), "{refusal}");
}
