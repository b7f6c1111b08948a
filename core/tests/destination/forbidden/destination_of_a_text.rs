//! A destination that no policy has parsed.

fn main() {
    let host = gatepost::DestinationHost::V4([127, 0, 0, 1].into());
    let _ = gatepost::Destination { url: "https://127.0.0.1/".into(), host, port: 443 };
}
