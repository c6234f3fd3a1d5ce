//! Where a download goes: a path, or a place below a directory that no link leads out of.
//!
//! Names in a bucket are not to be trusted, and neither is whoever else may write in the
//! directory: what was looked at by its name may be a symbolic link a moment later. So the
//! directory is opened once, the system itself finds the file's parent below it (`openat2` with
//! `RESOLVE_BENEATH`, Linux 5.6), and everything else happens in that open parent, whatever its
//! name means by then.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustix::fs::Mode;
use rustix::io::Errno;

use crate::error::{Error, Result};
use crate::file_io;

/// How many links to links are followed: what Linux allows.
const MAX_LINKS: u32 = 40;

/// The permissions of a new directory, before the user's mask.
const DIRECTORY_MODE: Mode = Mode::from_raw_mode(0o777);

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
    /// What the system is asked for. Below an [`Anchor`] it holds while this is there.
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

/// A directory that downloads stay below.
///
/// Symbolic links that stay in it are followed. Where the system has no `openat2`, or no
/// `/proc`, paths are used by their names; then somebody has to look at the links before, and
/// what changes meanwhile goes unseen.
#[derive(Debug)]
pub struct Anchor {
    directory: PathBuf,
    replaces_all: bool,
    /// None if the system cannot do it.
    root: OnceLock<Option<Arc<OwnedFd>>>,
}

impl Anchor {
    /// The directory is made and opened when the first file goes there. With `replaces_all` a
    /// link, a pipe or a device in the place of a file is replaced by it.
    #[must_use]
    pub fn new(directory: PathBuf, replaces_all: bool) -> Self {
        Self {
            directory,
            replaces_all,
            root: OnceLock::new(),
        }
    }

    /// The place of a path, which begins with the directory. Makes directories that are missing.
    ///
    /// `Error::OutsideDirectory` if a symbolic link leads out of the directory.
    pub fn place(&self, path: &Path) -> Result<Place> {
        let (parent, name) = path
            .strip_prefix(&self.directory)
            .ok()
            .filter(|below| {
                below
                    .components()
                    .all(|part| matches!(part, Component::Normal(_)))
            })
            .and_then(|below| Some((below.parent()?, below.file_name()?)))
            .ok_or_else(|| {
                let (path, directory) = (path.display(), self.directory.display());
                Error::InvalidArgument(format!("{path} is no path below {directory}"))
            })?;
        let Some(root) = self.root()? else {
            return self.by_name(path);
        };
        let below = Below {
            root,
            directory: &self.directory,
            path,
        };
        let (mut parent, mut name) = (below.open_parent(parent)?, name.to_owned());
        if !self.replaces_all && rustix::fs::readlinkat(&parent, &name, Vec::new()).is_ok() {
            (parent, name) = below.follow()?;
        }
        Ok(Place {
            path: path_in(&parent, &name),
            found: self.found(),
            shown: path.to_owned(),
            parent: Some(parent),
        })
    }

    fn found(&self) -> Found {
        if self.replaces_all {
            Found::Replaced
        } else {
            Found::Kept
        }
    }

    fn by_name(&self, path: &Path) -> Result<Place> {
        if let Some(parent) = path.parent().filter(|parent| !parent.is_dir()) {
            make_directories(parent)?;
        }
        let path = if self.replaces_all {
            path.to_owned()
        } else {
            end_of_path(path)?
        };
        Ok(Place {
            found: self.found(),
            ..Place::from(path)
        })
    }

    fn root(&self) -> Result<Option<&Arc<OwnedFd>>> {
        if self.root.get().is_none() {
            let directory = named(&self.directory);
            make_directories(directory)?;
            let opened = system::open_root(directory)
                .map_err(|error| Error::local_file(directory, "open the directory", error.into()))?
                .filter(has_proc)
                .map(Arc::new);
            // Another thread may have been faster.
            drop(self.root.set(opened));
        }
        Ok(self.root.get().and_then(Option::as_ref))
    }
}

/// The way to one file.
struct Below<'a> {
    root: &'a Arc<OwnedFd>,
    directory: &'a Path,
    path: &'a Path,
}

impl Below<'_> {
    fn open_parent(&self, parent: &Path) -> Result<Arc<OwnedFd>> {
        if parent.as_os_str().is_empty() {
            return Ok(Arc::clone(self.root));
        }
        match system::open_below(self.root, parent) {
            Ok(opened) => Ok(Arc::new(opened)),
            Err(error) if error == Errno::NOENT || leads_out(error) => self.walk(parent),
            Err(error) => Err(self.failed(parent, "open the directory", error)),
        }
    }

    /// Go from directory to directory, and make those that are missing.
    fn walk(&self, parent: &Path) -> Result<Arc<OwnedFd>> {
        let mut opened = Arc::clone(self.root);
        let mut way = PathBuf::new();
        for part in parent {
            way.push(part);
            let mut next = system::open_below(self.root, &way);
            if next.as_ref().is_err_and(|&error| error == Errno::NOENT) {
                match rustix::fs::mkdirat(&opened, part, DIRECTORY_MODE) {
                    Ok(()) | Err(Errno::EXIST) => next = system::open_below(self.root, &way),
                    Err(error) => return Err(self.failed(&way, "make the directory", error)),
                }
            }
            opened = match next {
                Ok(next) => Arc::new(next),
                Err(error) if leads_out(error) => {
                    let link = self.directory.join(&way);
                    way = self.real(&link)?;
                    self.open_real(&way, &link)?
                }
                Err(error) => return Err(self.failed(&way, "open the directory", error)),
            };
        }
        Ok(opened)
    }

    /// The parent and the name of what a link in the place of the file leads to.
    fn follow(&self) -> Result<(Arc<OwnedFd>, OsString)> {
        let real = self.real(self.path)?;
        let (Some(parent), Some(name)) = (real.parent(), real.file_name()) else {
            let source = io::Error::from_raw_os_error(file_io::IS_A_DIRECTORY);
            return Err(Error::local_file(self.path, "write", source));
        };
        Ok((self.open_real(parent, self.path)?, name.to_owned()))
    }

    /// Where a link leads to in the directory: the system takes an absolute one for one that
    /// leads out. What changes meanwhile is found when the answer is opened.
    fn real(&self, link: &Path) -> Result<PathBuf> {
        let find = || {
            let directory = fs::canonicalize(named(self.directory)).ok()?;
            let real = fs::canonicalize(link).ok().or_else(|| {
                let end = end_of_links(link);
                Some(fs::canonicalize(end.parent()?).ok()?.join(end.file_name()?))
            })?;
            real.strip_prefix(directory).ok().map(Path::to_owned)
        };
        find().ok_or_else(|| self.outside(link))
    }

    fn open_real(&self, real: &Path, link: &Path) -> Result<Arc<OwnedFd>> {
        system::open_below(self.root, named(real))
            .map(Arc::new)
            .map_err(|_| self.outside(link))
    }

    fn outside(&self, link: &Path) -> Error {
        Error::OutsideDirectory {
            path: self.path.to_owned(),
            link: link.to_owned(),
        }
    }

    fn failed(&self, way: &Path, action: &'static str, error: Errno) -> Error {
        Error::local_file(self.directory.join(way), action, error.into())
    }
}

/// Does the system refuse a path because a link in it leads out, or round in a circle?
fn leads_out(error: Errno) -> bool {
    matches!(error, Errno::XDEV | Errno::LOOP)
}

/// The path of a name in an open directory.
fn path_in(directory: &OwnedFd, name: &OsStr) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd())).join(name)
}

/// Do paths through open directories lead there?
fn has_proc(directory: &OwnedFd) -> bool {
    let (Ok(open), Ok(found)) = (
        rustix::fs::fstat(directory),
        rustix::fs::stat(path_in(directory, OsStr::new("."))),
    ) else {
        return false;
    };
    (open.st_dev, open.st_ino) == (found.st_dev, found.st_ino)
}

fn make_directories(directory: &Path) -> Result<()> {
    fs::create_dir_all(directory)
        .map_err(|error| Error::local_file(directory, "make the directory", error))
}

/// The directory itself has no name in a path below it.
fn named(directory: &Path) -> &Path {
    if directory.as_os_str().is_empty() {
        Path::new(".")
    } else {
        directory
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
fn end_of_links(path: &Path) -> PathBuf {
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

#[cfg(target_os = "linux")]
mod system {
    use std::os::fd::OwnedFd;
    use std::path::Path;

    use rustix::fs::{Mode, OFlags, ResolveFlags};
    use rustix::io::{Errno, Result};

    /// How often others may rename directories while one is looked for.
    const MAX_RACES: u32 = 32;

    const DIRECTORY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

    /// None if nothing can be opened below it.
    pub(super) fn open_root(directory: &Path) -> Result<Option<OwnedFd>> {
        let root = rustix::fs::open(directory, DIRECTORY, Mode::empty())?;
        match open_below(&root, Path::new(".")) {
            // An old kernel, or a sandbox that does not know the call.
            Err(Errno::NOSYS | Errno::PERM | Errno::INVAL) => Ok(None),
            _ => Ok(Some(root)),
        }
    }

    pub(super) fn open_below(root: &OwnedFd, way: &Path) -> Result<OwnedFd> {
        let rules = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let mut races = 0;
        loop {
            match rustix::fs::openat2(root, way, DIRECTORY, Mode::empty(), rules) {
                Err(Errno::AGAIN | Errno::INTR) if races < MAX_RACES => races += 1,
                opened => return opened,
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::os::fd::OwnedFd;
    use std::path::Path;

    use rustix::io::{Errno, Result};

    pub(super) fn open_root(_directory: &Path) -> Result<Option<OwnedFd>> {
        Ok(None)
    }

    pub(super) fn open_below(_root: &OwnedFd, _way: &Path) -> Result<OwnedFd> {
        Err(Errno::NOSYS)
    }
}
