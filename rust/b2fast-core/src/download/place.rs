//! Where a download goes.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::io::Errno;

use crate::error::{Error, Result};

/// How many links to links are followed: what Linux allows.
const MAX_LINKS: u32 = 40;

/// What is done about what has the name of the file already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A link is followed; a pipe or device is written straight, a file replaced.
    Followed,
    /// No link is followed any more; otherwise the same.
    Kept,
    /// All but a directory is replaced.
    Replaced,
}

/// The place of one file.
#[derive(Clone, Debug)]
pub struct Place {
    /// What the system is asked for. Below an [`Anchor`](super::Anchor) it holds while this is there.
    pub(super) path: PathBuf,
    pub(super) found: Found,
    shown: PathBuf,
    parent: Option<Arc<OwnedFd>>,
}

impl From<PathBuf> for Place {
    fn from(path: PathBuf) -> Self {
        Self {
            shown: path.clone(),
            path,
            found: Found::Followed,
            parent: None,
        }
    }
}

impl Place {
    /// The place of `shown` below a directory, through its open parent if there is one.
    pub(super) fn below(
        shown: &Path,
        path: PathBuf,
        parent: Option<Arc<OwnedFd>>,
        found: Found,
    ) -> Self {
        Self {
            path,
            found,
            shown: shown.to_owned(),
            parent,
        }
    }

    /// What to open, rename and remove in the place of the path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Is all but a directory replaced, pipes and devices too?
    #[must_use]
    pub fn replaces_all(&self) -> bool {
        self.found == Found::Replaced
    }

    /// An error in terms of the path that was asked for.
    pub(super) fn named(&self, error: Error) -> Error {
        match error {
            Error::LocalFile { action, source, .. } if self.parent.is_some() => {
                if source.raw_os_error() == Some(Errno::LOOP.raw_os_error()) {
                    // What was a file a moment ago.
                    return Error::OutsideDirectory {
                        path: self.shown.clone(),
                        link: self.shown.clone(),
                    };
                }
                Error::local_file(&self.shown, action, source)
            }
            error => error,
        }
    }
}

/// The real path of what a path names, through all symbolic links.
pub(super) fn end_of_path(path: &Path) -> Result<PathBuf> {
    match fs::canonicalize(path) {
        Ok(real) => Ok(real),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(end_of_links(path)),
        Err(error) => Err(Error::local_file(path, "open", error)),
    }
}

/// What a path without a file behind it names, if it is a symbolic link.
pub(super) fn end_of_links(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    // What is open can be written under names that lead nowhere, such as /dev/stdout.
    if fs::metadata(&path).is_ok() {
        return path;
    }
    for _ in 0..MAX_LINKS {
        let Ok(next) = fs::read_link(&path) else {
            break;
        };
        path = path.with_file_name(next);
    }
    path
}
