//! A directory that downloads stay below.
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

use super::place::{Found, Place, end_of_links, end_of_path};
use crate::error::{Error, Result};
use crate::file_io;

/// The permissions of a new directory, before the user's mask.
const DIRECTORY_MODE: Mode = Mode::from_raw_mode(0o777);

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
        let reached = path_in(&parent, &name);
        Ok(Place::below(path, reached, Some(parent), self.found()))
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
        let reached = if self.replaces_all {
            path.to_owned()
        } else {
            end_of_path(path)?
        };
        Ok(Place::below(path, reached, None, self.found()))
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
    fs::create_dir_all(directory).map_err(|error| {
        let error = match error.kind() {
            // What is there is none.
            io::ErrorKind::AlreadyExists => Errno::NOTDIR.into(),
            _ => error,
        };
        Error::local_file(directory, "make the directory", error)
    })
}

/// The directory itself has no name in a path below it.
fn named(directory: &Path) -> &Path {
    if directory.as_os_str().is_empty() {
        Path::new(".")
    } else {
        directory
    }
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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::fs::symlink;

    use tempfile::{TempDir, tempdir};

    use super::*;
    use crate::cancel::CancelToken;
    use crate::download::partial::create_beside;
    use crate::download::target::Target;

    /// A directory to download to, with `a`, and one outside that has all of its names.
    struct Scene {
        root: TempDir,
        directory: PathBuf,
    }

    impl Scene {
        fn new() -> Self {
            let root = tempdir().unwrap();
            let directory = root.path().join("directory");
            fs::create_dir_all(directory.join("a")).unwrap();
            fs::create_dir_all(root.path().join("outside")).unwrap();
            for name in ["file", ".file.b2fast-part", ".file.b2fast-journal"] {
                fs::write(root.path().join("outside").join(name), "precious").unwrap();
            }
            Self { root, directory }
        }

        fn anchor(&self) -> Anchor {
            Anchor::new(self.directory.clone(), false)
        }

        fn path(&self, name: &str) -> PathBuf {
            self.directory.join(name)
        }

        /// Have `a` lead outside.
        fn swap(&self) {
            let path = self.path("a");
            let moved = self.root.path().join("moved");
            if fs::symlink_metadata(&path).is_ok_and(|found| found.is_dir()) && !moved.exists() {
                fs::rename(&path, moved).unwrap();
                symlink(self.root.path().join("outside"), &path).unwrap();
            }
        }

        fn names(&self, directory: &str) -> Vec<OsString> {
            let mut names: Vec<_> = fs::read_dir(self.root.path().join(directory))
                .unwrap()
                .map(|entry| entry.unwrap().file_name())
                .collect();
            names.sort();
            names
        }

        fn check_outside(&self) {
            let names = self.names("outside");
            assert_eq!(names.len(), 3);
            for name in names {
                let path = self.root.path().join("outside").join(name);
                assert_eq!(fs::read(path).unwrap(), b"precious");
            }
        }
    }

    fn link_of(result: Result<Place>) -> PathBuf {
        match result {
            Err(Error::OutsideDirectory { link, .. }) => link,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_swap_at_any_moment_leads_nowhere_else() {
        for moment in 0..5 {
            for fails in [false, true] {
                let scene = Scene::new();
                let reached = |now| {
                    if now == moment {
                        scene.swap();
                    }
                };
                let anchor = scene.anchor();
                // Opened before.
                anchor.place(&scene.path("other")).unwrap();
                reached(0);
                let placed = anchor.place(&scene.path("a/file"));
                if moment == 0 {
                    assert_eq!(link_of(placed), scene.path("a"));
                    scene.check_outside();
                    continue;
                }
                reached(1);
                let target = Target::open(placed.unwrap(), None, &CancelToken::new()).unwrap();
                reached(2);
                target.write_all_at(b"content", 0).unwrap();
                reached(3);
                if fails {
                    target.discard();
                } else {
                    target.finish(None).unwrap();
                }
                reached(4);
                drop(target);
                scene.check_outside();
                scene.swap();
                let expected: &[&str] = if fails { &[] } else { &["file"] };
                assert_eq!(scene.names("moved"), expected);
            }
        }
    }

    #[test]
    fn directories_are_made_below_and_not_through_links_that_lead_out() {
        let scene = Scene::new();
        let anchor = scene.anchor();
        anchor.place(&scene.path("new/deep/file")).unwrap();
        assert!(scene.path("new/deep").is_dir());
        for (name, target) in [("up", ".."), ("out", "../outside"), ("lost", "../none")] {
            symlink(target, scene.path(name)).unwrap();
            let placed = anchor.place(&scene.path(name).join("b/file"));
            assert_eq!(link_of(placed), scene.path(name));
        }
        symlink("circle", scene.path("circle")).unwrap();
        let placed = anchor.place(&scene.path("circle/file"));
        assert_eq!(link_of(placed), scene.path("circle"));
        scene.check_outside();
        assert_eq!(scene.names("."), ["directory", "outside"]);
    }

    #[test]
    fn links_that_stay_in_the_directory_are_followed() {
        let scene = Scene::new();
        let anchor = scene.anchor();
        symlink("a", scene.path("relative")).unwrap();
        symlink(scene.path("a"), scene.path("absolute")).unwrap();
        symlink("a/../relative/name", scene.path("file")).unwrap();
        for (name, real) in [
            ("relative/1", "a/1"),
            ("absolute/2", "a/2"),
            ("absolute/new/3", "a/new/3"),
            ("file", "a/name"),
        ] {
            let place = anchor.place(&scene.path(name)).unwrap();
            fs::write(&place.path, name).unwrap();
            assert_eq!(fs::read(scene.path(real)).unwrap(), name.as_bytes());
        }
        // What is to be replaced is not.
        let anchor = Anchor::new(scene.directory.clone(), true);
        let place = anchor.place(&scene.path("file")).unwrap();
        let (_, beside) = create_beside(&place.path, 0o600).unwrap();
        fs::rename(beside, &place.path).unwrap();
        assert!(fs::symlink_metadata(scene.path("file")).unwrap().is_file());
        assert_eq!(fs::read(scene.path("a/name")).unwrap(), b"file");
    }

    #[test]
    fn a_link_that_takes_the_place_of_the_file_is_not_followed() {
        let scene = Scene::new();
        let place = scene.anchor().place(&scene.path("a/file")).unwrap();
        symlink(scene.root.path().join("outside/file"), scene.path("a/file")).unwrap();
        let target = Target::open(place, None, &CancelToken::new()).unwrap();
        target.write_all_at(b"content", 0).unwrap();
        target.finish(None).unwrap();
        scene.check_outside();
        let found = fs::symlink_metadata(scene.path("a/file")).unwrap();
        assert!(found.is_file());
    }

    #[test]
    fn errors_name_the_path_that_was_asked_for() {
        let scene = Scene::new();
        let path = scene.path("a/file");
        let place = scene.anchor().place(&path).unwrap();
        for (number, is_outside) in [(Errno::LOOP, true), (Errno::NOSPC, false)] {
            let error = Error::local_file(&place.path, "write", number.into());
            match place.named(error) {
                Error::OutsideDirectory { path: named, .. } => {
                    assert!(is_outside);
                    assert_eq!(named, path);
                }
                Error::LocalFile { path: named, .. } => {
                    assert!(!is_outside);
                    assert_eq!(named, path);
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn without_the_call_paths_are_used_by_their_names() {
        let scene = Scene::new();
        for replaces_all in [false, true] {
            let anchor = Anchor::new(scene.directory.clone(), replaces_all);
            anchor.root.set(None).unwrap();
            let path = scene.path("x/y/file");
            let place = anchor.place(&path).unwrap();
            assert_eq!(place.path, path);
            assert_eq!(place.replaces_all(), replaces_all);
            assert!(scene.path("x/y").is_dir());
        }
    }

    #[test]
    fn what_is_not_below_is_refused() {
        let scene = Scene::new();
        let anchor = scene.anchor();
        for path in [
            scene.path("../outside/file"),
            scene.path("a/../../outside/file"),
            scene.root.path().join("outside/file"),
            scene.directory.clone(),
        ] {
            let placed = anchor.place(&path);
            assert!(matches!(placed, Err(Error::InvalidArgument(_))), "{path:?}");
        }
        scene.check_outside();
    }
}
