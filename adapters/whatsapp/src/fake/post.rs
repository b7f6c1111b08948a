//! Post: how the fakes tell us, over plain HTTP on this machine.
//!
//! The players: [`Hook`] (where they post, and what makes it genuine), [`post`] (how).

use std::io::{self, Error, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use gatepost::{Secret, Timestamp};

/// Where a fake posts what happens.
#[derive(Clone, Copy, Debug)]
pub struct Hook<'a> {
    /// A URL like `http://127.0.0.1:8080/path`.
    pub url: &'a str,
    /// What makes it genuine: the app secret of Meta, the `jwt_key` of Evolution API.
    pub secret: &'a Secret,
    /// When it happens.
    pub now: Timestamp,
}

impl Hook<'_> {
    pub(super) const fn seconds(&self) -> i64 {
        self.now.as_millis() / 1_000
    }
}

/// Posts `body` to a URL like `http://127.0.0.1:8080/path`; answers with the status.
///
/// # Errors
///
/// Where the URL is of another form or nobody answers there.
pub fn post(url: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<u16> {
    let unreadable = || Error::new(ErrorKind::InvalidInput, "expected a URL of plain HTTP with an address of this machine and a port");
    let rest = url.strip_prefix("http://").ok_or_else(unreadable)?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let address: SocketAddr = authority.parse().map_err(|_| unreadable())?;
    if !address.ip().is_loopback() {
        return Err(unreadable());
    }
    let mut stream = TcpStream::connect(address)?;
    let mut head = format!("POST /{path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
    stream.write_all((head + "\r\n").as_bytes())?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let line = String::from_utf8_lossy(answer.get(..64).unwrap_or(&answer)).into_owned();
    line.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(|| Error::new(ErrorKind::InvalidData, "expected a status"))
}
