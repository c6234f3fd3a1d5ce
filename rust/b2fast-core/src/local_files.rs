//! What a scan has to know of the files of a directory.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, OFlags};

const NS_PER_MS: i64 = 1_000_000;
const READABLE_BY_ALL: u32 = 0o444;
/// A name up to here is within all limits of B2 and of file systems.
const MOST_PLAIN_BYTES: usize = 250;

/// A regular file that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundFile {
    /// When it was modified, in milliseconds since 1970.
    pub mod_time_millis: i64,
    /// Its bytes.
    pub size: u64,
}

/// Look at files of a directory; symbolic links are followed.
///
/// `None` for whatever asks for a closer look: a file that is not there or may not be readable,
/// what is no regular file, and a name that might not be possible elsewhere.
///
/// `prefix_length` is the number of bytes that stand before the names in a bucket.
#[must_use]
pub fn find_files(
    directory: &Path,
    prefix_length: usize,
    names: &[OsString],
) -> Vec<Option<FoundFile>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let Ok(opened) = rustix::fs::open(directory, flags, Mode::empty()) else {
        return vec![None; names.len()];
    };
    let reads_all = rustix::process::geteuid().is_root();
    names
        .iter()
        .map(|name| {
            if !is_plain(name) || prefix_length + name.len() > MOST_PLAIN_BYTES {
                return None;
            }
            let status = rustix::fs::statat(&opened, name, AtFlags::empty()).ok()?;
            let is_readable = reads_all || status.st_mode & READABLE_BY_ALL == READABLE_BY_ALL;
            if !is_readable || !FileType::from_raw_mode(status.st_mode).is_file() {
                return None;
            }
            Some(FoundFile {
                mod_time_millis: millis(status.st_mtime, i64::try_from(status.st_mtime_nsec).ok()?),
                size: u64::try_from(status.st_size).ok()?,
            })
        })
        .collect()
}

/// As `mtime_millis` of `utils/mtime.py`, where the reasons are.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // As Python does.
fn millis(seconds: i64, nanoseconds: i64) -> i64 {
    let whole = seconds * 1000 + nanoseconds / NS_PER_MS;
    let of_float = ((seconds as f64 + 1e-9 * nanoseconds as f64) * 1000.0) as i64;
    whole.max(of_float)
}

/// As `is_plain` of `utils/filesystem.py`, for one part of a name.
fn is_plain(name: &OsStr) -> bool {
    let bytes = name.as_bytes();
    !bytes.starts_with(b".")
        && bytes.iter().all(|&byte| {
            byte.is_ascii_alphanumeric() || b"_ !#$%&'()+,;=@[]^`{}~-.".contains(&byte)
        })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::time::{Duration, SystemTime};

    use super::{FoundFile, find_files, millis};

    #[test]
    fn files_are_found_and_the_rest_is_left_to_others() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let file = fs::File::create(path.join("a")).unwrap();
        file.set_len(5).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123))
            .unwrap();
        fs::set_permissions(path.join("a"), fs::Permissions::from_mode(0o644)).unwrap();
        fs::create_dir(path.join("d")).unwrap();
        fs::write(path.join(".b"), "").unwrap();
        symlink("a", path.join("link")).unwrap();
        symlink("nowhere", path.join("broken")).unwrap();
        let names = ["a", "d", ".b", "link", "broken", "gone"].map(OsString::from);
        let found = Some(FoundFile {
            mod_time_millis: 1_700_000_000_123,
            size: 5,
        });

        assert_eq!(
            find_files(path, 0, &names),
            [found, None, None, found, None, None]
        );
        assert_eq!(find_files(path, 250, &names[..1]), [None]);
        assert_eq!(find_files(&path.join("gone"), 0, &names[..1]), [None]);
    }

    #[test]
    fn times_are_those_of_a_float_where_it_is_later() {
        assert_eq!(millis(1_700_000_000, 123_000_000), 1_700_000_000_123);
        assert_eq!(millis(1_700_000_000, 123_999_999), 1_700_000_000_124);
        assert_eq!(millis(-2, 500_000_000), -1500);
    }
}
