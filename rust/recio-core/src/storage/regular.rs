//! Opening regular files only.
//!
//! Opening a named pipe waits for its other end, in the kernel, where Ctrl-C is not heard; a device
//! may have no end. A name is checked before it is opened, so that a device is not even opened, and
//! again after, because the name may be that of another file by then. Files are opened without
//! waiting for anybody.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::Path;

/// Opens a regular file for reading.
///
/// # Errors
/// Those of the operating system; one that names what it is, if it is not a regular file.
pub fn open_regular(path: &Path) -> io::Result<File> {
    check_regular(&fs::metadata(path)?)?;
    let file = without_waiting(File::options().read(true)).open(path)?;
    check_regular(&file.metadata()?)?;
    Ok(file)
}

/// Opens a file for writing. It may be a character device, such as `/dev/full`, but no pipe.
///
/// # Errors
/// As [`open_regular`].
pub fn open_for_writing(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    if let Ok(metadata) = fs::metadata(path) {
        check_writable(&metadata)?;
    }
    let file = without_waiting(options).open(path)?;
    check_writable(&file.metadata()?)?;
    Ok(file)
}

/// Checks that a file is a regular one.
///
/// # Errors
/// Names what it is.
pub(crate) fn check_regular(metadata: &Metadata) -> io::Result<()> {
    match special_kind(metadata) {
        None => Ok(()),
        Some("a folder") => Err(io::ErrorKind::IsADirectory.into()),
        Some(kind) => Err(not_regular(kind)),
    }
}

fn check_writable(metadata: &Metadata) -> io::Result<()> {
    match special_kind(metadata) {
        Some(kind @ ("a named pipe" | "a socket")) => Err(not_regular(kind)),
        _ => Ok(()),
    }
}

fn not_regular(kind: &str) -> io::Error {
    let text = format!("{kind}, not a regular file");
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

/// Returns what a file is, if it is not a regular one.
fn special_kind(metadata: &Metadata) -> Option<&'static str> {
    if metadata.is_file() {
        return None;
    }
    if metadata.is_dir() {
        return Some("a folder");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        let kind = metadata.file_type();
        if kind.is_fifo() {
            return Some("a named pipe");
        }
        if kind.is_socket() {
            return Some("a socket");
        }
    }
    Some("a device")
}

/// Adds to options that opening a pipe does not wait. For regular files this means nothing.
#[cfg(unix)]
fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits() as i32)
}

#[cfg(not(unix))]
fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_devices_are_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let error = open_regular(folder.path()).unwrap_err().to_string();
        assert!(error.contains("directory"), "{error}");
        let device = Path::new("/dev/null");
        if device.exists() {
            let error = open_regular(device).unwrap_err().to_string();
            assert_eq!(error, "a device, not a regular file");
            open_for_writing(device, File::options().write(true)).unwrap();
        }
    }

    #[cfg(unix)]
    #[test]
    fn pipes_and_sockets_are_neither_read_nor_written() {
        let folder = tempfile::tempdir().unwrap();
        let (pipe, socket) = (folder.path().join("pipe"), folder.path().join("socket"));
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, mode).unwrap();
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for (path, kind) in [(pipe, "a named pipe"), (socket, "a socket")] {
            let expected = format!("{kind}, not a regular file");
            assert_eq!(open_regular(&path).unwrap_err().to_string(), expected);
            let error = open_for_writing(&path, File::options().write(true)).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }
}
