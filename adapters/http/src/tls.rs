//! TLS: whose certificates are believed.
//!
//! Mozilla's roots, compiled in, and those that the operator adds for a private authority. Nothing of the machine's own store.

use std::sync::Arc;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// The certificates of authorities cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`root_certificates`: expected certificates of authorities in PEM: {0}")]
pub struct InvalidRoots(String);

/// Mozilla's roots and those of every PEM text.
pub(crate) fn client_config(extra: &[Vec<u8>]) -> Result<Arc<ClientConfig>, InvalidRoots> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for pem in extra {
        add(&mut roots, pem)?;
    }
    let invalid = |error: rustls::Error| InvalidRoots(error.to_string());
    let versioned = ClientConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions();
    Ok(Arc::new(versioned.map_err(invalid)?.with_root_certificates(roots).with_no_client_auth()))
}

fn add(roots: &mut RootCertStore, pem: &[u8]) -> Result<(), InvalidRoots> {
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| InvalidRoots(error.to_string()))?;
        roots.add(certificate).map_err(|error| InvalidRoots(error.to_string()))?;
    }
    if roots.len() == before { Err(InvalidRoots("there is none".to_owned())) } else { Ok(()) }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_a_certificate_is_an_error_and_not_an_empty_addition() {
        let refused = client_config(&[b"nothing here".to_vec()]).unwrap_err();
        assert_eq!(refused.to_string(), "`root_certificates`: expected certificates of authorities in PEM: there is none");
    }

    #[test]
    fn a_certificate_that_cannot_be_read_is_an_error() {
        let pem = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec();
        assert!(client_config(&[pem]).is_err());
    }
}
