//! Server: the process, its folder, and the watchdog that ends both.
//!
//! The watchdog is a shell that reads a pipe whose other end this process holds. However this process ends, by return, panic or
//! `kill -9`, the pipe closes; then the shell stops the server and removes the folder. It stands in a process group of its own, so that
//! Ctrl-C does not reach it.

use std::fs::Permissions;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::{ClusterError, Settings, binaries, client};

/// How long a server may take to answer after its start.
const START_MAX: Duration = Duration::from_secs(120);

/// How often another port is tried, should somebody take the one that was free a moment ago.
const PORTS_MAX: usize = 5;

/// First the folder of the cluster.
const WATCHDOG: &str = r#"
cat >/dev/null
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
if [ -n "$pid" ]; then
    kill -QUIT "$pid" 2>/dev/null
    tries=0
    while kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done
    kill -KILL "$pid" 2>/dev/null
fi
rm -rf "$1"
"#;

pub(crate) struct Server {
    binaries: PathBuf,
    folder: PathBuf,
    owner: Option<Owner>,
    settings: Vec<(String, String)>,
    port: u16,
    password: String,
    process: Option<Child>,
    watchdog: Child,
}

/// As whom the server runs, where this process is root.
#[derive(Clone, Copy)]
struct Owner {
    uid: u32,
    gid: u32,
}

impl Server {
    pub(crate) fn start(settings: &Settings) -> Result<Self, ClusterError> {
        let binaries = binaries::folder().ok_or(ClusterError::Absent)?;
        let folder = tempfile::Builder::new().prefix("gatepost-cluster-").tempdir()?;
        let owner = owner(folder.path())?;
        let password = secret()?;
        initialize(&binaries, folder.path(), owner, &password)?;
        if let Some((certificate, key)) = &settings.tls {
            put(&folder.path().join("data/server.crt"), owner, certificate)?;
            put(&folder.path().join("data/server.key"), owner, key)?;
        }
        let watchdog = watch(folder.path())?;
        let folder = folder.keep();
        let settings = all_settings(settings);
        let mut server = Self { binaries, folder, owner, settings, port: 0, password, process: None, watchdog };
        for _ in 0..=PORTS_MAX {
            server.port = free_port()?;
            match server.resume() {
                Err(_) if server.log().contains("could not bind") => {}
                started => return started.map(|()| server),
            }
        }
        Err(ClusterError::Refused(String::from("no port is free")))
    }

    /// Its URL, up to the database.
    pub(crate) fn address(&self) -> String {
        format!("postgres://postgres:{}@127.0.0.1:{}", self.password, self.port)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.as_ref().map_or(0, Child::id)
    }

    /// Ends the process and, as their pipe to it closes, those that it made.
    pub(crate) fn kill(&mut self) -> Result<(), ClusterError> {
        if let Some(mut process) = self.process.take() {
            process.kill()?;
            process.wait()?;
        }
        Ok(())
    }

    /// Starts the process, and waits until it answers. Those of before hold the memory of a killed one for a moment.
    pub(crate) fn resume(&mut self) -> Result<(), ClusterError> {
        let until = Instant::now() + START_MAX;
        loop {
            std::fs::write(self.folder.join("log"), "")?;
            match self.spawn() {
                Err(_) if self.log().contains("shared memory block") && Instant::now() < until => {
                    std::thread::sleep(Duration::from_millis(100));
                }
                started => return started,
            }
        }
    }

    fn spawn(&mut self) -> Result<(), ClusterError> {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.folder.join("log"))?;
        let mut command = self.owner.command(&self.binaries.join("postgres"));
        command.arg("-D").arg(self.folder.join("data")).arg("-p").arg(self.port.to_string());
        for (name, value) in &self.settings {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        command.process_group(0).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.process = Some(command.spawn()?);
        self.wait_until_it_answers()
    }

    fn wait_until_it_answers(&mut self) -> Result<(), ClusterError> {
        let until = Instant::now() + START_MAX;
        let url = format!("{}/postgres", self.address());
        loop {
            match client::run(&url, "SELECT 1") {
                Ok(_) => return Ok(()),
                Err(_) if self.has_ended() => return Err(ClusterError::Refused(self.log())),
                Err(error) if Instant::now() > until => return Err(error),
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    fn has_ended(&mut self) -> bool {
        self.process.as_mut().is_none_or(|process| !matches!(process.try_wait(), Ok(None)))
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    /// Lets the watchdog do its work, and waits for it.
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        // Who is not waited for stands in the list of processes, and the watchdog would wait for it in vain.
        if let Some(mut process) = self.process.take() {
            let _ = process.wait();
        }
        let _ = self.watchdog.wait();
    }
}

/// Runs programs as the owner of the cluster.
trait Run {
    fn command(&self, program: &Path) -> Command;
}

impl Run for Option<Owner> {
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Some(owner) = self {
            // A folder that the owner may stand in.
            command.uid(owner.uid).gid(owner.gid).current_dir("/");
        }
        command.env("LC_ALL", "C").env_remove("PGDATA").env_remove("PGPORT").env_remove("PGOPTIONS");
        command
    }
}

/// An unprivileged user who is given the folder, where it belongs to root.
fn owner(folder: &Path) -> Result<Option<Owner>, ClusterError> {
    if std::fs::metadata(folder)?.uid() != 0 {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd")?;
    let found = ["postgres", "nobody"].iter().find_map(|name| users.lines().find_map(|line| user(line, name)));
    let owner = found.ok_or_else(|| ClusterError::Refused(String::from("there is no user for a server that must not be root")))?;
    chown(folder, Some(owner.uid), Some(owner.gid))?;
    Ok(Some(owner))
}

/// What a line of the user list says of the user: `name:password:uid:gid:…`.
fn user(line: &str, name: &str) -> Option<Owner> {
    let mut fields = line.strip_prefix(name)?.strip_prefix(':')?.split(':').skip(1);
    Some(Owner { uid: fields.next()?.parse().ok()?, gid: fields.next()?.parse().ok()? })
}

fn initialize(binaries: &Path, folder: &Path, owner: Option<Owner>, password: &str) -> Result<(), ClusterError> {
    let secret = folder.join("password");
    put(&secret, owner, password)?;
    let made = owner
        .command(&binaries.join("initdb"))
        .arg("-D")
        .arg(folder.join("data"))
        .args(["-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8", "--no-locale", "--no-sync"])
        .arg(format!("--pwfile={}", secret.display()))
        .stdin(Stdio::null())
        .output()?;
    std::fs::remove_file(secret)?;
    if made.status.success() { Ok(()) } else { Err(ClusterError::Refused(String::from_utf8_lossy(&made.stderr).into_owned())) }
}

/// Writes a file that only the owner reads.
fn put(path: &Path, owner: Option<Owner>, text: &str) -> Result<(), ClusterError> {
    std::fs::write(path, "")?;
    std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
    std::fs::write(path, text)?;
    if let Some(owner) = owner {
        chown(path, Some(owner.uid), Some(owner.gid))?;
    }
    Ok(())
}

fn all_settings(settings: &Settings) -> Vec<(String, String)> {
    let on = |on: bool| if on { "on" } else { "off" };
    let own = [
        ("listen_addresses", "127.0.0.1"),
        ("unix_socket_directories", ""),
        ("fsync", on(settings.durable)),
        ("full_page_writes", on(settings.durable)),
        ("ssl", on(settings.tls.is_some())),
        ("max_connections", "500"),
        ("wal_level", "minimal"),
        ("max_wal_senders", "0"),
        ("max_wal_size", "4GB"),
        ("log_min_messages", "error"),
    ];
    let own = own.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    own.chain(settings.server.iter().cloned()).collect()
}

fn watch(folder: &Path) -> Result<Child, ClusterError> {
    let mut command = Command::new("sh");
    command.args(["-c", WATCHDOG, "watchdog"]).arg(folder).current_dir("/").process_group(0);
    // It must not hold on to what reads this process's output.
    Ok(command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?)
}

fn free_port() -> Result<u16, ClusterError> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn secret() -> Result<String, ClusterError> {
    use std::io::Read;
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
