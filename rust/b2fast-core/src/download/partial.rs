//! The partial file that outlives its download: beside the target, under a name that the next
//! download of the same target finds, with a journal of what is in it.
//!
//! Whoever holds the lock on the partial file owns it and the journal. Names are never
//! followed through symbolic links, and what others could have put there is left alone.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::journal::{self, Journal, Pin, Stretches};
use crate::error::{Error, Result};
use crate::file_io::O_NOFOLLOW;
use crate::hash::{self, Blake3};

/// How the names of the files end that a download has beside its target: the content, the
/// journal, and the journal while it is made. They begin with a point and the target's name.
pub const TEMPORARY_SUFFIXES: [&str; 3] = [PART, JOURNAL, NEW_JOURNAL];

const PART: &str = ".b2fast-part";
const JOURNAL: &str = ".b2fast-journal";
const NEW_JOURNAL: &str = ".b2fast-journal-new";

/// File systems allow names of 255 bytes. A longer one than this leaves no room for the rest.
const MAX_NAME: usize = 255 - 1 - NEW_JOURNAL.len();

/// The longest stem of a name that has to be shortened.
const MAX_STEM: usize = 200;

/// How many random names are tried before giving up.
const MAX_NAMES: u32 = 16;

/// How often a file may vanish between opening and locking it.
const MAX_RACES: u32 = 8;

/// A partial file that this process owns.
pub(crate) struct Partial {
    pub(crate) file: File,
    pub(crate) path: PathBuf,
    pub(crate) record: Record,
}

/// What is known of a partial file.
pub(crate) struct Record {
    /// What was recorded before this download.
    pub(crate) known: Stretches,
    pub(crate) journal: Journal,
    pub(crate) journal_path: PathBuf,
}

impl Partial {
    /// Open or create the partial file of a target, and begin its journal with what an older
    /// one records of the same bytes.
    ///
    /// `None` if another download has it, or if it cannot be had for whatever reason: a
    /// download does without. `mode` is for new files, before the user's mask.
    pub(crate) fn open(target: &Path, mode: u32, pin: Pin) -> Option<Self> {
        let path = hidden_name(target, PART);
        let file = lock(&path, Some(mode)).ok()?;
        if let Ok(record) = begin(&file, target, mode, pin) {
            return Some(Self { file, path, record });
        }
        drop(fs::remove_file(hidden_name(target, NEW_JOURNAL)));
        if file.metadata().is_ok_and(|found| found.len() == 0) {
            drop(fs::remove_file(&path));
        }
        None
    }
}

/// Create a file beside a target, to be renamed to it or removed; returns its path too.
///
/// What an interrupted download has left is removed. The file has the name that the next
/// download looks under, or one of its own if another download has that or it cannot be had.
/// `mode` holds from the start: whoever may not read the file may not open it before.
pub fn create_beside(target: &Path, mode: u32) -> Result<(File, PathBuf)> {
    discard_stale(target);
    if let Some(claimed) = claim(target, mode) {
        return Ok(claimed);
    }
    for attempt in 1.. {
        let path = random_name(target);
        match create(&path, mode) {
            Ok(file) => return Ok((file, path)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < MAX_NAMES => {}
            Err(error) => return Err(Error::local_file(target, "create", error)),
        }
    }
    unreachable!("the loop ends by returning")
}

fn claim(target: &Path, mode: u32) -> Option<(File, PathBuf)> {
    let path = hidden_name(target, PART);
    let file = create(&path, mode).ok()?;
    match file.try_lock() {
        // Before it was locked, another download may have taken it for one that was left.
        Ok(()) if check_plain(&path, &file).is_ok() => Some((file, path)),
        Ok(()) | Err(TryLockError::WouldBlock) => None,
        Err(TryLockError::Error(_)) => {
            // There are no locks here.
            drop(fs::remove_file(&path));
            None
        }
    }
}

/// Remove what an interrupted download of another version has left, unless one still runs.
fn discard_stale(target: &Path) {
    let path = hidden_name(target, PART);
    if fs::symlink_metadata(&path).is_ok()
        && let Ok(_locked) = lock(&path, None)
    {
        // Others may have removed them before; what stays is found by the next download.
        drop(fs::remove_file(&path));
        drop(fs::remove_file(hidden_name(target, JOURNAL)));
    }
}

fn begin(file: &File, target: &Path, mode: u32, pin: Pin) -> io::Result<Record> {
    let journal_path = hidden_name(target, JOURNAL);
    let known = known_stretches(file, &journal_path, &pin)?;
    let new_path = hidden_name(target, NEW_JOURNAL);
    // Whoever holds the lock makes it, so this one is of a process that died.
    drop(fs::remove_file(&new_path));
    let new = create(&new_path, mode)?;
    let ours = new.metadata()?;
    if file.metadata()?.uid() != ours.uid() {
        // Its owner could change it when it has the target's name.
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    file.set_permissions(ours.permissions())?;
    if known.is_empty() {
        file.set_len(0)?;
    }
    let journal = Journal::begin(new, pin, &known)?;
    fs::rename(new_path, &journal_path)?;
    Ok(Record {
        known,
        journal,
        journal_path,
    })
}

/// What the journal records and the file is long enough for.
fn known_stretches(file: &File, journal_path: &Path, pin: &Pin) -> io::Result<Stretches> {
    let length = file.metadata()?.len();
    if length > pin.length() {
        return Ok(Stretches::new());
    }
    let mut known = match open_plain(journal_path, OpenOptions::new().read(true)) {
        Ok(journal) => journal::read(journal, pin),
        Err(_) => Stretches::new(),
    };
    known.retain(|offset, stretch| offset + stretch.length as u64 <= length);
    Ok(known)
}

/// Open and lock a file, a new one if there is none and a mode is given.
fn lock(path: &Path, mode: Option<u32>) -> io::Result<File> {
    let mut last = io::ErrorKind::NotFound.into();
    for _ in 0..MAX_RACES {
        let new = mode.map(|mode| create(path, mode));
        let file = match new {
            Some(Err(error)) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Some(Ok(file)) => file,
            _ => match open_plain(path, OpenOptions::new().read(true).write(true)) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound && mode.is_some() => {
                    last = error;
                    continue;
                }
                Err(error) => return Err(error),
            },
        };
        file.try_lock()?;
        // Its former owner may have renamed or removed it before letting go of the lock.
        match check_plain(path, &file) {
            Ok(()) => return Ok(file),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn create(path: &Path, mode: u32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true).mode(mode);
    options.open(path)
}

/// Open a regular file that has this name and no other.
fn open_plain(path: &Path, options: &OpenOptions) -> io::Result<File> {
    // Looked at before, since opening a pipe waits and opening a device may do anything.
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let file = options.clone().custom_flags(O_NOFOLLOW).open(path)?;
    check_plain(path, &file)?;
    Ok(file)
}

/// Is the name, and no other, that of this very file?
fn check_plain(path: &Path, file: &File) -> io::Result<()> {
    let (named, open) = (fs::symlink_metadata(path)?, file.metadata()?);
    let is_same = (named.dev(), named.ino()) == (open.dev(), open.ino());
    if is_same && open.is_file() && open.nlink() == 1 {
        Ok(())
    } else {
        Err(io::ErrorKind::NotFound.into())
    }
}

/// A hidden name in the same directory, since a file system only renames within itself.
fn hidden_name(target: &Path, suffix: &str) -> PathBuf {
    let name = target.file_name().unwrap_or_default();
    let mut hidden = OsString::from(".");
    if name.len() <= MAX_NAME {
        hidden.push(name);
    } else {
        let digest = Blake3::new().update(name.as_bytes()).finalize();
        hidden.push(stem(target));
        hidden.push(".");
        hidden.push(hash::to_hex(&digest.as_bytes()[..8]));
    }
    hidden.push(suffix);
    target.with_file_name(hidden)
}

/// A hidden name that no other download uses.
fn random_name(target: &Path) -> PathBuf {
    let random = fastrand::u64(..);
    target.with_file_name(format!(".{}.{random:016x}{PART}", stem(target)))
}

/// The beginning of a target's name, short enough to be a part of another one.
fn stem(target: &Path) -> String {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let mut stem = name.as_ref();
    while stem.len() > MAX_STEM {
        let mut characters = stem.chars();
        characters.next_back();
        stem = characters.as_str();
    }
    stem.to_owned()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use tempfile::{TempDir, tempdir};

    use super::*;

    const MODE: u32 = 0o600;

    fn pin() -> Pin {
        Pin::new("id", &(0..1000), None)
    }

    fn target() -> (TempDir, PathBuf) {
        let directory = tempdir().unwrap();
        let target = directory.path().join("target");
        (directory, target)
    }

    fn names(directory: &TempDir) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Leave a partial file of 10 recorded bytes.
    fn leave(target: &Path) {
        let partial = Partial::open(target, MODE, pin()).unwrap();
        fs::write(&partial.path, b"0123456789").unwrap();
        partial.record.journal.append(0, b"0123456789");
    }

    #[test]
    fn what_was_recorded_is_known_to_the_next_one() {
        let (directory, target) = target();
        leave(&target);
        let found = [".target.b2fast-journal", ".target.b2fast-part"];
        assert_eq!(names(&directory), found);
        let partial = Partial::open(&target, MODE, pin()).unwrap();
        assert_eq!(partial.record.known.keys().collect::<Vec<_>>(), [&0]);
        assert_eq!(partial.record.journal.recorded(), 10);
        assert_eq!(fs::read(&partial.path).unwrap(), b"0123456789");
    }

    #[test]
    fn only_one_has_it() {
        let (directory, target) = target();
        let first = Partial::open(&target, MODE, pin()).unwrap();
        assert!(Partial::open(&target, MODE, pin()).is_none());
        discard_stale(&target);
        assert_eq!(names(&directory).len(), 2);
        drop(first);
        assert!(Partial::open(&target, MODE, pin()).is_some());
        discard_stale(&target);
        assert!(names(&directory).is_empty());
    }

    #[test]
    fn a_file_that_is_not_kept_takes_the_name_of_one_that_was_left() {
        let (directory, target) = target();
        leave(&target);
        let (first, path) = create_beside(&target, MODE).unwrap();
        assert_eq!(path, hidden_name(&target, PART));
        assert_eq!(first.metadata().unwrap().len(), 0);
        // While it is written, it is nobody else's.
        let (second, other) = create_beside(&target, MODE).unwrap();
        assert!(Partial::open(&target, MODE, pin()).is_none());
        assert_ne!(other, path);
        assert_eq!(names(&directory).len(), 2);
        drop((first, second));
        fs::remove_file(other).unwrap();
        drop(create_beside(&target, MODE).unwrap());
        assert_eq!(names(&directory), [".target.b2fast-part"]);
    }

    #[test]
    fn what_became_the_target_is_not_written_again() {
        let (_directory, target) = target();
        let path = hidden_name(&target, PART);
        let finished = Partial::open(&target, MODE, pin()).unwrap();
        // The other one has opened the file before it got its name, and locks it then.
        let opened = File::open(&path).unwrap();
        fs::rename(&path, &target).unwrap();
        drop(finished);
        opened.try_lock().unwrap();
        assert!(check_plain(&path, &opened).is_err());
        let next = Partial::open(&target, MODE, pin()).unwrap();
        assert!(next.record.known.is_empty());
        assert_ne!(
            next.file.metadata().unwrap().ino(),
            fs::metadata(&target).unwrap().ino()
        );
    }

    #[test]
    fn what_does_not_fit_is_emptied() {
        let other = Pin::new("other", &(0..1000), None);
        let shorter = Pin::new("id", &(0..9), None);
        for pin in [other, shorter] {
            let (_directory, target) = target();
            leave(&target);
            let partial = Partial::open(&target, MODE, pin).unwrap();
            assert!(partial.record.known.is_empty());
            assert_eq!(partial.file.metadata().unwrap().len(), 0);
        }
    }

    #[test]
    fn records_of_bytes_that_are_not_there_do_not_count() {
        let (_directory, target) = target();
        leave(&target);
        fs::write(hidden_name(&target, PART), b"012345678").unwrap();
        let partial = Partial::open(&target, MODE, pin()).unwrap();
        assert!(partial.record.known.is_empty());
    }

    #[test]
    fn links_are_not_followed() {
        for suffix in [PART, JOURNAL, NEW_JOURNAL] {
            let (directory, target) = target();
            leave(&target);
            let precious = directory.path().join("precious");
            fs::copy(hidden_name(&target, PART), &precious).unwrap();
            let before = fs::read(&precious).unwrap();
            for links in [0, 1] {
                let name = hidden_name(&target, suffix);
                drop(fs::remove_file(&name));
                if links == 0 {
                    symlink(&precious, &name).unwrap();
                } else {
                    fs::hard_link(&precious, &name).unwrap();
                }
                // The partial file is not used, a journal replaced.
                let partial = Partial::open(&target, MODE, pin());
                assert_eq!(partial.is_none(), suffix == PART);
                assert_eq!(fs::read(&precious).unwrap(), before);
                discard_stale(&target);
                assert_eq!(fs::read(&precious).unwrap(), before);
            }
        }
        let (directory, target) = target();
        symlink(directory.path().join("nothing"), hidden_name(&target, PART)).unwrap();
        assert!(Partial::open(&target, MODE, pin()).is_none());
        assert_eq!(names(&directory), [".target.b2fast-part"]);
    }

    #[test]
    fn what_is_no_file_is_left_alone() {
        let (directory, target) = target();
        fs::create_dir(hidden_name(&target, PART)).unwrap();
        assert!(Partial::open(&target, MODE, pin()).is_none());
        discard_stale(&target);
        assert_eq!(names(&directory), [".target.b2fast-part"]);
    }

    #[test]
    fn permissions_are_those_of_a_new_file() {
        let (_directory, target) = target();
        leave(&target);
        let path = hidden_name(&target, PART);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        drop(Partial::open(&target, MODE, pin()).unwrap());
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, MODE);
    }

    #[test]
    fn names_of_every_length_and_kind_are_different_ones() {
        let mut found = Vec::new();
        let long = "é".repeat(127);
        for name in [
            OsStr::new("a"),
            OsStr::from_bytes(b"\xff"),
            OsStr::from_bytes(b"\xfe"),
            OsStr::new(&"x".repeat(MAX_NAME)),
            OsStr::new(&"x".repeat(MAX_NAME + 1)),
            OsStr::new(&"x".repeat(255)),
            OsStr::new(&long),
            OsStr::new(&format!("{long}x")),
        ] {
            for suffix in TEMPORARY_SUFFIXES {
                let path = hidden_name(&Path::new("/directory").join(name), suffix);
                assert!(path.starts_with("/directory"));
                let hidden = path.file_name().unwrap().as_bytes().to_vec();
                assert!(hidden.len() <= 255 && hidden.ends_with(suffix.as_bytes()));
                found.push(hidden);
            }
        }
        let count = found.len();
        found.sort();
        found.dedup();
        assert_eq!(found.len(), count);
    }
}
