//! Authorities: who vouches for the receivers of the tests.

use std::sync::{Arc, LazyLock};

use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd};
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::stage::NAME;

/// One who vouches for others.
pub(super) struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

static TRUSTED: LazyLock<Authority> = LazyLock::new(Authority::new);

/// The authority that every stage believes.
pub(super) fn trusted() -> &'static Authority {
    &TRUSTED
}

impl Authority {
    /// One whom nobody believes yet.
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    pub(super) fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// Vouches for a receiver that goes by these names and addresses.
    pub(super) fn vouch<S: AsRef<str>>(&self, names: &[S]) -> Arc<ServerConfig> {
        self.vouch_as(&params(names))
    }

    /// Did so, long ago.
    pub(super) fn vouched(&self, name: &str) -> Arc<ServerConfig> {
        let mut params = params(&[name]);
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2020, 2, 1));
        self.vouch_as(&params)
    }

    fn vouch_as(&self, params: &CertificateParams) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        server(&certificate, &key)
    }
}

/// The usual identity of a receiver.
pub(super) fn identity() -> Arc<ServerConfig> {
    static USUAL: LazyLock<Arc<ServerConfig>> = LazyLock::new(|| trusted().vouch(&[NAME]));
    USUAL.clone()
}

/// A receiver that vouches for itself.
pub(super) fn self_signed(name: &str) -> Arc<ServerConfig> {
    let key = KeyPair::generate().unwrap();
    server(&params(&[name]).self_signed(&key).unwrap(), &key)
}

fn params<S: AsRef<str>>(names: &[S]) -> CertificateParams {
    CertificateParams::new(names.iter().map(|name| name.as_ref().to_owned()).collect::<Vec<_>>()).unwrap()
}

fn server(certificate: &Certificate, key: &KeyPair) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let chain: Vec<CertificateDer<'static>> = vec![certificate.der().clone()];
    let versioned = ServerConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions().unwrap();
    Arc::new(versioned.with_no_client_auth().with_single_cert(chain, key).unwrap())
}
