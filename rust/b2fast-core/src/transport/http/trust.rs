//! Whom to trust: the certificate authorities.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::error::{Error, Result};

/// Names a bundle that replaces the system's store: what users of `requests`, and so of
/// other B2 clients, have set up. The first one that is set counts.
const BUNDLE_VARIABLES: [&str; 2] = ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"];

/// Where the trusted certificate authorities come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// The system's store, or the one that `SSL_CERT_FILE` and `SSL_CERT_DIR` name; Mozilla's
    /// list where there is none.
    #[default]
    System,
    /// A file of certificates in PEM form, or a directory of such files.
    Bundle(PathBuf),
}

impl Trust {
    /// What the environment variables `REQUESTS_CA_BUNDLE` and `CURL_CA_BUNDLE` ask for.
    #[must_use]
    pub fn from_environment() -> Self {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        BUNDLE_VARIABLES
            .into_iter()
            .filter_map(variable)
            .find(|value| !value.is_empty())
            .map_or(Self::System, |value| Self::Bundle(value.into()))
    }

    /// A TLS configuration that trusts these authorities.
    pub(super) fn client_config(&self) -> Result<ClientConfig> {
        let roots = match self {
            Self::System => system_roots(),
            Self::Bundle(path) => bundle_roots(path)?,
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::InvalidArgument(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(config)
    }
}

fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    // Stores hold certificates that cannot be parsed, and unreadable files: those that can
    // be used are enough.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots
}

fn bundle_roots(path: &Path) -> Result<RootCertStore> {
    let found = if path.is_dir() {
        rustls_native_certs::load_certs_from_paths(None, Some(path)).certs
    } else {
        let content =
            std::fs::read(path).map_err(|error| Error::local_file(path, "read", error))?;
        CertificateDer::pem_slice_iter(&content)
            .filter_map(std::result::Result::ok)
            .collect()
    };
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found);
    if added == 0 {
        return Err(Error::InvalidArgument(format!(
            "no certificate in {}: a file or a directory of certificates in PEM form is needed",
            path.display()
        )));
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_counts() {
        let trust = |variables: &[(&str, &str)]| {
            Trust::from_variables(|name| {
                let found = variables.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(trust(&[]), Trust::System);
        assert_eq!(trust(&[("REQUESTS_CA_BUNDLE", "")]), Trust::System);
        assert_eq!(
            trust(&[("CURL_CA_BUNDLE", "/curl")]),
            Trust::Bundle("/curl".into())
        );
        assert_eq!(
            trust(&[
                ("CURL_CA_BUNDLE", "/curl"),
                ("REQUESTS_CA_BUNDLE", "/requests")
            ]),
            Trust::Bundle("/requests".into())
        );
    }

    #[test]
    fn the_system_always_trusts_someone() {
        assert!(!system_roots().is_empty());
    }

    #[test]
    fn an_unusable_bundle_is_an_error() {
        let missing = Trust::Bundle("/no/such/bundle.pem".into()).client_config();
        assert!(matches!(missing, Err(Error::LocalFile { .. })));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let empty = Trust::Bundle(source).client_config();
        assert!(matches!(empty, Err(Error::InvalidArgument(_))));
    }
}
