//! Environment: proxies named there are not used (R31).

use std::net::TcpListener;
use std::process::Command;

use serde_json::Value;

use super::receiver::{OK, Receiver};
use super::stage::{PATIENCE, Stage, URL};

#[test]
fn r31_no_proxy_of_the_environment_is_used() {
    let proxy = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    proxy.set_nonblocking(true).unwrap();
    let address = proxy.local_addr().unwrap().to_string();
    for variables in rows().chain([every_variable()]) {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "tests::environment::sends_from_a_child_process", "--ignored"]);
        child.envs(variables.iter().map(|(name, value)| (name, at(value, &address))));
        let output = child.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && said.contains("1 passed"), "{variables:?}: {said}");
        assert!(proxy.accept().is_err(), "{variables:?}: a socket to the proxy was opened");
    }
}

#[test]
#[ignore = "run by the test above, with other variables in its environment"]
fn sends_from_a_child_process() {
    let receiver = Receiver::saying(OK);
    let stage = Stage::leading_to(&receiver);
    assert_eq!(stage.send(stage.request(URL, PATIENCE)).unwrap().status, 200);
    assert_eq!((receiver.connections(), stage.map.dialed().len()), (1, 1));
}

type Variables = Vec<(String, String)>;

/// The rows of `http_cases.json` about the environment.
fn rows() -> impl Iterator<Item = Variables> {
    let table: Value = serde_json::from_str(include_str!("../../tests/data/http_cases.json")).unwrap();
    let rows: Vec<Value> = table["cases"].as_array().unwrap().iter().filter(|case| case["family"] == "proxy-env").cloned().collect();
    assert_eq!(rows.len(), 8);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    rows.into_iter()
        .map(move |case| case["given"]["env"].as_object().unwrap().iter().map(|(name, value)| (name.clone(), text(value))).collect())
}

fn every_variable() -> Variables {
    let names = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];
    let proxies = names.map(|name| (name.to_owned(), "http://127.0.0.1:3128".to_owned()));
    proxies.into_iter().chain([("NO_PROXY".to_owned(), "example.org".to_owned())]).collect()
}

/// The proxy that listens here in place of the one that is named.
fn at(value: &str, address: &str) -> String {
    value.replace("127.0.0.1:3128", address).replace("127.0.0.1:1080", address)
}
