//! TLS: what the server proves to be, and certificates made on the spot.

use std::fmt;
use std::io;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// A certificate with its key, both in PEM form.
#[derive(Clone)]
pub struct Identity {
    certificates: Vec<u8>,
    key: Vec<u8>,
}

impl fmt::Debug for Identity {
    /// Without the key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Identity").finish_non_exhaustive()
    }
}

impl Identity {
    /// A server's certificate, followed by those that connect it to an authority, and its key.
    #[must_use]
    pub fn new(certificates: Vec<u8>, key: Vec<u8>) -> Self {
        Self { certificates, key }
    }

    /// The certificates in PEM form.
    #[must_use]
    pub fn certificates(&self) -> &[u8] {
        &self.certificates
    }

    /// The key in PEM form.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// An identity for `names` (host names and addresses) that no one has seen before, and the
    /// certificate of the authority that vouches for it, in PEM form: what clients have to trust.
    ///
    /// Authority and server are two certificates, because some clients take no certificate for
    /// both. The authority's key is forgotten at once, so that it vouches for nothing else.
    pub fn made_up(names: Vec<String>) -> io::Result<(Self, String)> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        name(&mut params, "b2fast simulator authority");
        let authority =
            CertifiedIssuer::self_signed(params, new_key()?).map_err(io::Error::other)?;

        let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
        name(&mut params, "b2fast simulator");
        params.use_authority_key_identifier_extension = true;
        let key = new_key()?;
        let certificate = params
            .signed_by(&key, &authority)
            .map_err(io::Error::other)?;
        let identity = Self::new(certificate.pem().into(), key.serialize_pem().into());
        Ok((identity, authority.pem()))
    }

    pub(crate) fn acceptor(&self) -> io::Result<TlsAcceptor> {
        let certificates = CertificateDer::pem_slice_iter(&self.certificates)
            .collect::<Result<Vec<_>, _>>()
            .map_err(io::Error::other)?;
        if certificates.is_empty() {
            return Err(io::Error::other("there is no certificate in PEM form"));
        }
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|_| {
            // What rustls says could quote the file.
            io::Error::other("there is no private key in PEM form")
        })?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .map_err(io::Error::other)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

fn new_key() -> io::Result<KeyPair> {
    KeyPair::generate().map_err(io::Error::other)
}

fn name(params: &mut CertificateParams, common_name: &str) {
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_identity_is_refused() {
        let refused = |certificates: &str, key: &str| {
            let identity = Identity::new(certificates.into(), key.into());
            identity.acceptor().err().unwrap().to_string()
        };
        let (good, authority) = Identity::made_up(vec!["localhost".to_owned()]).unwrap();
        let key = String::from_utf8(good.key.clone()).unwrap();
        let certificate = String::from_utf8(good.certificates.clone()).unwrap();
        assert!(good.acceptor().is_ok());
        assert_eq!(refused("", &key), "there is no certificate in PEM form");
        assert_eq!(
            refused(&certificate, "secret"),
            "there is no private key in PEM form"
        );
        assert!(
            refused(&authority, &key)
                .to_lowercase()
                .contains("mismatch")
        );
    }

    #[test]
    fn debug_shows_no_key() {
        let (identity, _) = Identity::made_up(vec!["localhost".to_owned()]).unwrap();
        assert_eq!(format!("{identity:?}"), "Identity { .. }");
    }
}
