//! Files that are only touched when they must change.

use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use crate::Error;

/// Names what failed, on which path.
pub(crate) fn failed<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Error + 'a {
    move |source| Error::File { action, path: path.to_owned(), source }
}

pub(crate) fn create_directory(path: &Path) -> Result<(), Error> {
    fs::create_dir_all(path).map_err(failed("create", path))
}

/// The paths of everything in `directory`.
pub(crate) fn entries(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    fs::read_dir(directory)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .map_err(failed("read", directory))
}

/// Makes `path` a file with these `contents`.
pub(crate) fn write(path: &Path, contents: &[u8]) -> Result<(), Error> {
    let is_link = path.is_symlink();
    if !is_link && fs::read(path).is_ok_and(|present| present == contents) {
        return Ok(());
    }
    if is_link {
        // Writing through the link would change the package's file.
        fs::remove_file(path).map_err(failed("remove", path))?;
    }
    fs::write(path, contents).map_err(failed("write", path))
}

/// Makes `path` a symbolic link to `target`.
pub(crate) fn link(target: &Path, path: &Path) -> Result<(), Error> {
    if fs::read_link(path).is_ok_and(|present| present == target) {
        return Ok(());
    }
    if path.symlink_metadata().is_ok() {
        fs::remove_file(path).map_err(failed("remove", path))?;
    }
    symlink(target, path).map_err(failed("create", path))
}

/// Runs `command`, a `tool` of clang or LLVM.
pub(crate) fn run(tool: &'static str, command: &mut Command) -> Result<(), Error> {
    let output = command.output().map_err(|source| Error::Tool { tool, source })?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    Err(Error::ToolFailed { tool, output: String::from_utf8_lossy(&text).into_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let directory = std::env::temp_dir().join(format!("netio-anycast-kit-{}-{name}", std::process::id()));
        create_directory(&directory).unwrap();
        directory
    }

    #[test]
    fn a_file_that_is_right_is_not_written_again() {
        let directory = scratch("same");
        let file = directory.join("file");
        write(&file, b"contents").unwrap();
        let first = fs::metadata(&file).unwrap().modified().unwrap();
        write(&file, b"contents").unwrap();
        assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), first);
        write(&file, b"other").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"other");
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn writing_never_goes_through_a_link() {
        let directory = scratch("link");
        let (original, path) = (directory.join("original"), directory.join("path"));
        write(&original, b"of the package").unwrap();
        link(&original, &path).unwrap();
        write(&path, b"of the kit").unwrap();
        assert_eq!(fs::read(&original).unwrap(), b"of the package");
        assert_eq!(fs::read(&path).unwrap(), b"of the kit");
        link(&original, &path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"of the package");
        fs::remove_dir_all(directory).unwrap();
    }
}
