//! Support for the tests of the command line: the program as a user runs it, in a folder of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A folder with nothing in it, and the program.
pub struct Place {
    folder: TempDir,
}

/// What the program said.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Place {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The data folder: where the program looks by default.
    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatepost-server"));
        // Nothing of who runs the tests: neither settings nor the instrumentation of another test.
        command.env_clear().current_dir(self.folder.path()).args(arguments);
        command
    }

    /// Runs the program with nothing on standard input.
    pub fn run(&self, arguments: &[&str]) -> Said {
        self.run_with(arguments, "")
    }

    pub fn run_with(&self, arguments: &[&str], input: &str) -> Said {
        run(self.command(arguments), input)
    }

    /// What the program answers for machines.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> Value {
        self.run(&[arguments, &["--json"]].concat()).json()
    }

    /// Starts a server as a process.
    pub fn serve(&self, arguments: &[&str]) -> Served {
        self.serve_by(self.command(&[&["serve", "--listen", "127.0.0.1:0"], arguments].concat()))
    }

    /// Starts a server by this command.
    pub fn serve_by(&self, mut command: Command) -> Served {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        let url = loop {
            let start = said.len();
            assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "the server ended: {said}");
            if let Some(url) = said[start..].trim_end().strip_prefix("listening on ") {
                break url.to_owned();
            }
        };
        Served { url, child, stderr, said }
    }
}

pub fn run(mut command: Command, input: &str) -> Said {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A program that reads nothing may be gone before the input is written.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Said {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Said {
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (0, ""));
        self.stdout
    }

    #[track_caller]
    pub fn json(self) -> Value {
        serde_json::from_str(&self.ok()).unwrap()
    }
}

/// A server that runs as a process.
pub struct Served {
    pub url: String,
    child: Child,
    stderr: BufReader<ChildStderr>,
    said: String,
}

impl Served {
    /// Asks the server to end, and waits for it.
    pub fn stop(mut self) -> Said {
        let kill = format!("kill -TERM {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        let mut stdout = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        self.stderr.read_to_string(&mut self.said).unwrap();
        Said { code: self.child.wait().unwrap().code().unwrap_or(-1), stdout, stderr: std::mem::take(&mut self.said) }
    }
}

impl Drop for Served {
    /// A test that failed leaves no process behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The status of a request to a server, and its answer.
pub fn http(method: &str, url: &str, key: &str, body: Option<&Value>) -> (u16, Value) {
    let agent = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().new_agent();
    let request = axum::http::Request::builder().method(method).uri(url).header("authorization", format!("Bearer {key}"));
    let mut answer = match body {
        Some(body) => agent.run(request.header("content-type", "application/json").body(body.to_string()).unwrap()),
        None => agent.run(request.body(()).unwrap()),
    }
    .unwrap();
    let text = answer.body_mut().read_to_string().unwrap();
    (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::Null))
}

/// Sends a message, and waits so many seconds for the provider.
pub fn send(url: &str, key: &str, wait: u8, phone: &str) -> (u16, Value) {
    let body = serde_json::json!({
        "instance_id": "demo", "phone": phone, "message": "Your table is ready.", "message_purpose": "transactional"
    });
    http("POST", &format!("{url}/api/send-message?wait={wait}"), key, Some(&body))
}

/// What stands behind a label in what the server shows on its first start.
pub fn shown<'a>(stdout: &'a str, label: &str) -> &'a str {
    stdout.lines().find_map(|line| line.trim().strip_prefix(label)).unwrap_or_else(|| panic!("no {label} in {stdout}")).trim()
}

pub fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}
