//! Client: the address a request comes from.
//!
//! The peer of the connection counts, unless it is a trusted proxy: then the rightmost hop of `X-Forwarded-For` that is not a trusted
//! proxy itself. What stands further left was written by somebody we do not know.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of whoever sent the request; none for a request made in this process.
pub(super) fn address(parts: &Parts, trusted: &[IpNet]) -> Option<IpAddr> {
    let ConnectInfo(peer) = parts.extensions.get::<ConnectInfo<SocketAddr>>()?;
    let peer = peer.ip().to_canonical();
    if is_among(trusted, peer) { Some(forwarded(&parts.headers, trusted, peer)) } else { Some(peer) }
}

/// Follows the hops from right to left for as long as each is a proxy we trust.
fn forwarded(headers: &HeaderMap, trusted: &[IpNet], peer: IpAddr) -> IpAddr {
    let lists: Vec<&str> = headers.get_all(X_FORWARDED_FOR).iter().map(|list| list.to_str().unwrap_or_default()).collect();
    let mut last = peer;
    for hop in lists.iter().rev().flat_map(|list| list.rsplit(',')) {
        let Some(hop) = parse(hop.trim()) else { break };
        last = hop;
        if !is_among(trusted, hop) {
            break;
        }
    }
    last
}

/// Some proxies add the port.
fn parse(hop: &str) -> Option<IpAddr> {
    let bare: Option<IpAddr> = hop.parse().ok();
    bare.or_else(|| hop.parse::<SocketAddr>().ok().map(|with_port| with_port.ip())).map(|ip| ip.to_canonical())
}

fn is_among(nets: &[IpNet], ip: IpAddr) -> bool {
    nets.iter().any(|net| net.contains(&ip))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use axum::http::Request;

    #[track_caller]
    fn check(peer: &str, lists: &[&str], expected: &str) {
        let trusted = ["127.0.0.0/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
        let mut request = Request::new(());
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1)));
        for list in lists {
            request.headers_mut().append(X_FORWARDED_FOR, list.parse().unwrap());
        }
        assert_eq!(address(&request.into_parts().0, &trusted), Some(expected.parse().unwrap()));
    }

    #[test]
    fn a_peer_we_do_not_trust_speaks_for_nobody() {
        check("203.0.113.7", &["198.51.100.1"], "203.0.113.7");
    }

    #[test]
    fn the_rightmost_hop_that_is_no_proxy_of_ours_counts() {
        check("127.0.0.1", &["198.51.100.1, 203.0.113.9, 10.1.2.3"], "203.0.113.9");
        check("127.0.0.1", &["198.51.100.1", "203.0.113.9", "10.1.2.3"], "203.0.113.9");
        check("127.0.0.1", &["203.0.113.9:4711"], "203.0.113.9");
        check("::ffff:127.0.0.1", &["2001:db8::1"], "2001:db8::1");
    }

    #[test]
    fn what_cannot_be_read_ends_the_way() {
        check("127.0.0.1", &["203.0.113.9, unknown, 10.1.2.3"], "10.1.2.3");
        check("127.0.0.1", &[], "127.0.0.1");
    }

    #[test]
    fn a_request_made_in_this_process_has_no_address() {
        assert_eq!(address(&Request::new(()).into_parts().0, &[]), None);
    }
}
