//! Where the image of a driver is.

use std::path::{Path, PathBuf};

/// The path of a driver's image as files are opened by, of the one that its service has: that is a path of the object manager's,
/// or one below the system's folder.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winsvc/ns-winsvc-query_service_configw>
pub(super) fn on_disk(image: &str, system: &Path) -> PathBuf {
    const SYSTEM_ROOT: &str = r"\SystemRoot\";
    if let Some(path) = image.strip_prefix(r"\??\") {
        return path.into();
    }
    let starts_with_root = image.get(..SYSTEM_ROOT.len()).is_some_and(|start| start.eq_ignore_ascii_case(SYSTEM_ROOT));
    if starts_with_root {
        return below(system, &image[SYSTEM_ROOT.len()..]);
    }
    // `C:\...`, or a share.
    if image.contains(':') || image.starts_with('\\') { image.into() } else { below(system, image) }
}

/// Joined by hand: on another system than Windows a backslash is no separator.
fn below(system: &Path, path: &str) -> PathBuf {
    format!(r"{}\{path}", system.display()).into()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::on_disk;

    #[test]
    fn every_form_of_a_services_image_path() {
        for (image, path) in [
            (r"\SystemRoot\System32\drivers\a.sys", r"C:\Windows\System32\drivers\a.sys"),
            (r"\SYSTEMROOT\System32\drivers\a.sys", r"C:\Windows\System32\drivers\a.sys"),
            (r"System32\drivers\a.sys", r"C:\Windows\System32\drivers\a.sys"),
            (r"\??\D:\test\a.sys", r"D:\test\a.sys"),
            (r"D:\test\a.sys", r"D:\test\a.sys"),
            (r"\\server\share\a.sys", r"\\server\share\a.sys"),
        ] {
            assert_eq!(on_disk(image, Path::new(r"C:\Windows")), Path::new(path), "{image}");
        }
    }
}
