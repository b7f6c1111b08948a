//! An address that no policy has judged.

fn main() {
    let socket = std::net::SocketAddr::from(([127, 0, 0, 1], 443));
    let _ = gatepost::CheckedAddress(socket);
}
