//! The certificate authorities of Amazon RDS, which are in no public list: of each its name and its
//! key, which is all that a check of a certificate needs. `roots/rds.pem` has them whole, and a test
//! compares the two. Valid until 2061 and later.

use rustls::pki_types::{Der, TrustAnchor};

/// For each authority the length of its name in two bytes, the name, and its key likewise.
const ANCHORS: &[u8] = include_bytes!("../../roots/rds.anchors");

/// Each of them.
pub(super) fn anchors() -> impl Iterator<Item = TrustAnchor<'static>> {
    let mut rest = ANCHORS;
    std::iter::from_fn(move || {
        Some(TrustAnchor {
            subject: Der::from_slice(part(&mut rest)?),
            subject_public_key_info: Der::from_slice(part(&mut rest)?),
            name_constraints: None,
        })
    })
}

fn part(rest: &mut &'static [u8]) -> Option<&'static [u8]> {
    let (length, behind) = rest.split_first_chunk::<2>()?;
    let (part, behind) = behind.split_at_checked(u16::from_be_bytes(*length).into())?;
    *rest = behind;
    Some(part)
}

#[cfg(test)]
mod tests {
    use rustls::RootCertStore;
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;

    use super::*;

    #[test]
    fn they_are_those_of_the_certificates() {
        let pem = include_bytes!("../../roots/rds.pem");
        let mut whole = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            whole.add(certificate.unwrap()).unwrap();
        }
        let anchors: Vec<_> = anchors().collect();
        assert!(anchors.len() > 80);
        assert_eq!(anchors, whole.roots);
        // every region has three, and no name is there twice
        let mut names: Vec<_> = anchors
            .iter()
            .map(|anchor| anchor.subject.to_vec())
            .collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), anchors.len());
    }
}
