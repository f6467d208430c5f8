//! Reading of the files of a configuration, again and again while the gateway serves.

use std::{
    fs::{self, File},
    io::{self, Error, ErrorKind, Read},
    path::Path,
};

/// The size of the largest file, in bytes.
const LIMIT: u64 = 64 << 20;

/// Reads a file.
///
/// # Errors
///
/// The system's error, or one about a pipe or a device, which could hold up its reader for ever, or about a file beyond the limit.
pub(crate) fn read(file: &Path) -> io::Result<Vec<u8>> {
    let kind = fs::metadata(file)?.file_type();
    if kind.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    if !kind.is_file() {
        return Err(Error::new(ErrorKind::InvalidInput, "expected a regular file, got a pipe, a socket or a device"));
    }
    limited(File::open(file)?, LIMIT)
}

fn limited(file: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let length = file.take(limit + 1).read_to_end(&mut bytes)?;
    if u64::try_from(length).is_ok_and(|length| length <= limit) {
        return Ok(bytes);
    }
    Err(Error::new(ErrorKind::FileTooLarge, format!("expected a file of at most {limit} bytes, got a longer one")))
}

/// Reads a file of text in UTF-8.
///
/// # Errors
///
/// Those of [`read`], and one about bytes that are no text.
pub(crate) fn read_text(file: &Path) -> io::Result<String> {
    String::from_utf8(read(file)?)
        .map_err(|_| Error::new(ErrorKind::InvalidData, "expected text in UTF-8, got other bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_the_limit_and_neither_a_device_nor_a_folder() {
        assert!(
            read(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml").as_path())
                .is_ok_and(|bytes| !bytes.is_empty())
        );
        for (file, kind) in
            [(".", ErrorKind::IsADirectory), ("none", ErrorKind::NotFound), ("/dev/zero", ErrorKind::InvalidInput)]
        {
            assert_eq!(read(Path::new(file)).unwrap_err().kind(), kind, "{file}");
        }
        assert_eq!(limited(&b"abc"[..], 3).unwrap(), b"abc");
        assert_eq!(limited(&b"abcd"[..], 3).unwrap_err().kind(), ErrorKind::FileTooLarge);
    }
}
