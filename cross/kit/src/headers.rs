//! The tree's `Include` directory.

use std::{collections::BTreeMap, path::Path};

use crate::{Error, Sources, files};

/// The directory of the C library's headers: clang's.
const CRT: &str = "km/crt";
const KERNEL_MODE: &str = "km";
const SHARED: &str = "shared";

/// Directories below mingw-w64's headers that its headers include from.
const MINGW_DIRECTORIES: [&str; 3] = ["psdk_inc", "sdks", "sec_api"];

/// Headers of clang in a reduced form: driver headers include all of `intrin.h`, whose newer vector types (AMX above all)
/// have layouts that bindgen cannot express, and of which a driver uses nothing.
const REDUCED: [(&str, &str); 5] = [
    ("immintrin.h", "#include <emmintrin.h>\n"),
    ("x86intrin.h", ""),
    ("ammintrin.h", ""),
    ("fma4intrin.h", ""),
    ("mm3dnow.h", ""),
];

/// The kit's own headers, each in place of mingw-w64's or in front of it.
const OWN: [(&str, &str, &str); 4] = [
    (KERNEL_MODE, "ntifs.h", include_str!("../include/km/ntifs.h")),
    (SHARED, "netioapi.h", include_str!("../include/shared/netioapi.h")),
    (SHARED, "ws2def.h", include_str!("../include/shared/ws2def.h")),
    (SHARED, "ws2ipdef.h", include_str!("../include/shared/ws2ipdef.h")),
];

/// Arranges the directory `include`.
pub(crate) fn arrange(sources: &Sources, include: &Path) -> Result<(), Error> {
    for directory in [CRT, KERNEL_MODE, SHARED] {
        files::create_directory(&include.join(directory))?;
    }
    link_all(&[&sources.clang_headers], &include.join(CRT), &REDUCED.map(|(name, _)| name))?;
    for (name, contents) in REDUCED {
        files::write(&include.join(CRT).join(name), contents.as_bytes())?;
    }

    let drivers = sources.mingw_headers.join("ddk");
    let shared = include.join(SHARED);
    let replaced: Vec<&str> =
        OWN.iter().filter(|(directory, ..)| *directory == SHARED).map(|(_, name, _)| *name).collect();
    link_all(&[&sources.mingw_headers, &drivers], &shared, &replaced)?;
    for directory in MINGW_DIRECTORIES {
        files::link(&sources.mingw_headers.join(directory), &shared.join(directory))?;
    }
    for (directory, name, contents) in OWN {
        files::write(&include.join(directory).join(name), contents.as_bytes())?;
    }
    Ok(())
}

/// Links every header in `from` into the directory `into`, except those named. Of two with one name the later wins.
fn link_all(from: &[&Path], into: &Path, except: &[&str]) -> Result<(), Error> {
    let mut headers = BTreeMap::new();
    for directory in from {
        for header in files::entries(directory)? {
            let Some(name) = header.file_name().map(ToOwned::to_owned) else {
                continue;
            };
            let is_header = header.extension().is_some_and(|extension| extension == "h" || extension == "inl");
            if is_header && !except.iter().any(|other| name == *other) {
                headers.insert(name, header);
            }
        }
    }
    for (name, header) in headers {
        files::link(&header, &into.join(name))?;
    }
    Ok(())
}
