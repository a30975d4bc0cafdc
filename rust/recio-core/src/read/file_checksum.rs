//! Checksum of all bytes of a file.

use crate::error::Result;
use crate::progress::Interrupt;
use crate::storage::location::Location;

/// Bytes that are read at a time.
const CHUNK: usize = 1 << 20;

/// Returns the CRC32C of a file.
///
/// # Errors
/// [`ErrorKind::Io`](crate::error::ErrorKind::Io); `Interrupted`.
pub fn crc32c(location: &Location, interrupt: &Interrupt<'_>) -> Result<u32> {
    let file = location.open()?;
    let mut buffer = vec![0; CHUNK];
    let (mut crc, mut offset) = (0, 0);
    while offset < file.len() {
        interrupt.poll()?;
        let len = (file.len() - offset).min(CHUNK as u64);
        let chunk = &mut buffer[..len as usize];
        file.read_exact_at(chunk, offset)?;
        crc = crc32c::crc32c_append(crc, chunk);
        offset += len;
    }
    Ok(crc)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_that_of_all_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        for len in [0, 9, CHUNK, CHUNK + 1] {
            let bytes: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
            std::fs::write(&path, &bytes).unwrap();
            let crc = crc32c(&path.as_path().into(), &Interrupt::never()).unwrap();
            assert_eq!(crc, crc32c::crc32c(&bytes));
        }
    }
}
