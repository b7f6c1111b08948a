//! A minimal HTTP/1.1 client that leaves the CPU to the server it measures.
//!
//! [`Connection`] writes a request that is already bytes and reads one answer: the status line, the headers that say how long the
//! body is, and the body. [`Reply`] borrows that body from the connection's buffer. No TLS, no redirects, no pipelining.

use std::io::{Error, ErrorKind, Result};
use std::ops::Range;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Larger than any answer to a send, so that one read takes it whole.
const BUFFER_BYTES: usize = 8 * 1024;

/// One kept TCP connection to the server.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer, its body borrowed from the connection.
#[derive(Debug)]
pub struct Reply<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The body, chunks already joined.
    pub body: &'a [u8],
    /// Whether the server closes the connection after this answer.
    pub closes: bool,
}

impl Connection {
    /// Connects to `authority`, a host and a port.
    pub async fn open(authority: &str) -> Result<Self> {
        let stream = TcpStream::connect(authority).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(BUFFER_BYTES) })
    }

    /// Writes `request` and reads its answer.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<Reply<'_>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = self.read_head().await?;
        let body = self.read_body(&head).await?;
        Ok(Reply { status: head.status, body: &self.buffer[body], closes: head.closes })
    }

    async fn read_head(&mut self) -> Result<Head> {
        loop {
            self.read_more().await?;
            if let Some(head) = Head::parse(&self.buffer)? {
                return Ok(head);
            }
        }
    }

    async fn read_body(&mut self, head: &Head) -> Result<Range<usize>> {
        let Length::Known(length) = head.length else {
            return self.read_chunks(head.end).await;
        };
        let end = head.end + length;
        while self.buffer.len() < end {
            self.read_more().await?;
        }
        Ok(head.end..end)
    }

    async fn read_chunks(&mut self, start: usize) -> Result<Range<usize>> {
        loop {
            if let Some(body) = join_chunks(&self.buffer[start..])? {
                self.buffer.truncate(start);
                self.buffer.extend(body);
                return Ok(start..self.buffer.len());
            }
            self.read_more().await?;
        }
    }

    async fn read_more(&mut self) -> Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(Error::new(ErrorKind::UnexpectedEof, "the server closed the connection")),
            _ => Ok(()),
        }
    }
}

/// The authority of an `http://` URL, with the port that it leaves out.
pub fn authority(url: &str) -> Result<String> {
    let rest = url.strip_prefix("http://").ok_or_else(|| malformed("the URL must start with `http://`"))?;
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.is_empty() {
        return Err(malformed("the URL names no host"));
    }
    let has_port = authority.rsplit(']').next().is_some_and(|end| end.contains(':'));
    Ok(if has_port { authority.to_owned() } else { format!("{authority}:80") })
}

#[derive(Debug, PartialEq)]
struct Head {
    status: u16,
    length: Length,
    closes: bool,
    /// Where the body begins.
    end: usize,
}

#[derive(Debug, PartialEq)]
enum Length {
    Chunked,
    Known(usize),
}

impl Head {
    /// Reads a head, or `None` while its last line is missing.
    fn parse(bytes: &[u8]) -> Result<Option<Self>> {
        let Some(end) = find(bytes, b"\r\n\r\n") else {
            return Ok(None);
        };
        let status = bytes.get(9..12).and_then(|digits| number(digits, 10)).ok_or_else(|| malformed("no HTTP status"))?;
        let status = u16::try_from(status).map_err(|_| malformed("no HTTP status"))?;
        let mut head = Self { status, length: Length::Known(0), closes: false, end: end + 4 };
        for line in bytes[..end].split(|byte| *byte == b'\n').skip(1) {
            head.read_header(line.trim_ascii_end())?;
        }
        Ok(Some(head))
    }

    fn read_header(&mut self, line: &[u8]) -> Result<()> {
        if let Some(value) = value_of(line, b"content-length:") {
            self.length = Length::Known(number(value, 10).ok_or_else(|| malformed("no content length"))?);
        } else if let Some(value) = value_of(line, b"transfer-encoding:") {
            if !value.eq_ignore_ascii_case(b"chunked") {
                return Err(malformed("unknown transfer encoding"));
            }
            self.length = Length::Chunked;
        } else if let Some(value) = value_of(line, b"connection:") {
            self.closes = value.eq_ignore_ascii_case(b"close");
        }
        Ok(())
    }
}

/// The value of `line` if it is the header `name`, which ends in a colon.
fn value_of<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (start, value) = line.split_at_checked(name.len())?;
    start.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
}

/// The body of a chunked message, or `None` while its last chunk is missing.
fn join_chunks(mut rest: &[u8]) -> Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    while let Some(line_end) = find(rest, b"\r\n") {
        let digits = rest[..line_end].split(|byte| *byte == b';').next().unwrap_or_default();
        let size = number(digits.trim_ascii(), 16).ok_or_else(|| malformed("no chunk size"))?;
        if size == 0 {
            // Trailers, if any, end as a head does: with an empty line.
            return Ok(find(&rest[line_end..], b"\r\n\r\n").map(|_| body));
        }
        let start = line_end + 2;
        let Some(next) = rest.get(start + size + 2..) else {
            return Ok(None);
        };
        body.extend_from_slice(&rest[start..start + size]);
        rest = next;
    }
    Ok(None)
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// A number no longer than any honest length, so that sums of it cannot overflow.
fn number(digits: &[u8], radix: u32) -> Option<usize> {
    let number = u32::from_str_radix(str::from_utf8(digits).ok()?, radix).ok()?;
    usize::try_from(number).ok()
}

fn malformed(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn head(text: &str) -> Option<Head> {
        Head::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_head_says_how_long_the_body_is() {
        assert_eq!(
            head("HTTP/1.1 202 Accepted\r\nConnection: close\r\nCONTENT-LENGTH: 12\r\n\r\n{}"),
            Some(Head { status: 202, length: Length::Known(12), closes: true, end: 64 })
        );
        let chunked = head("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
        assert_eq!(chunked.map(|head| head.length), Some(Length::Chunked));
    }

    #[test]
    fn an_unfinished_head_is_waited_for() {
        assert_eq!(head("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n"), None);
    }

    #[test]
    fn a_head_without_a_status_is_refused() {
        assert!(Head::parse(b"gibberish\r\n\r\n").is_err());
    }

    #[test]
    fn chunks_are_joined_once_all_are_there() {
        let whole = b"4;x=y\r\nsent\r\nA\r\n and seen.\r\n0\r\nEtag: 1\r\n\r\n";
        assert_eq!(join_chunks(whole).unwrap().as_deref(), Some(b"sent and seen.".as_slice()));
        for length in 0..whole.len() {
            assert_eq!(join_chunks(&whole[..length]).unwrap(), None, "{length}");
        }
        assert!(join_chunks(b"x\r\n").is_err());
    }

    #[test]
    fn an_authority_has_a_port() {
        assert_eq!(authority("http://127.0.0.1:8080/v1").unwrap(), "127.0.0.1:8080");
        assert_eq!(authority("http://[::1]").unwrap(), "[::1]:80");
        assert!(authority("https://example.com").is_err());
        assert!(authority("http://").is_err());
    }
}
