//! In the place of `tls.rs`, in a program that was built without the feature `tls`.

use std::io::{self, Read, Write};
use std::path::PathBuf;

use crate::signals::Reloads;
use crate::stream::ByteStream;

/// There are none.
#[derive(Debug, Clone)]
pub(crate) enum NoCertificates {}

pub(crate) use NoCertificates as CertificateFiles;

impl NoCertificates {
    pub(crate) fn open(_: PathBuf, _: PathBuf) -> Result<Self, String> {
        Err("this program was built without the feature `tls`: build it with that, or put a proxy in \
             front"
            .to_owned())
    }

    pub(crate) async fn accept(&self, _: ByteStream) -> Result<ByteStream, io::Error> {
        match *self {}
    }

    pub(crate) async fn keep_current(self, _: Reloads) {
        match self {}
    }
}

/// The client's side.
pub(crate) fn unchecked<S: Read + Write>(_: S) -> io::Result<S> {
    Err(io::ErrorKind::Unsupported.into())
}
