//! The bytes of every struct that travels, kept in files: `tests/golden/*.hex`.
//!
//! Tests in other languages read the same files. A line is an offset, a colon and up to 16 bytes in hex; `#` starts a
//! comment. `UPDATE_GOLDEN=1 cargo test -p netio-anycast-protocol golden` writes them anew, which is right only for a struct
//! that has never been shipped.

use std::fmt::{Debug, Write as _};
use std::path::PathBuf;
use std::{env, fs};

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::samples;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name).with_extension("hex")
}

fn to_text(name: &str, bytes: &[u8]) -> String {
    let mut text = format!("# {name}: {} bytes. The values are in tests/contract/samples.rs.\n", bytes.len());
    for (line, bytes) in bytes.chunks(16).enumerate() {
        let bytes: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(text, "{:04x}: {}", line * 16, bytes.join(" ")).expect("a string takes everything");
    }
    text
}

fn from_text(text: &str) -> Vec<u8> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let bytes = lines.filter_map(|line| line.split_once(':')).flat_map(|(_, bytes)| bytes.split_whitespace());
    bytes.map(|byte| u8::from_str_radix(byte, 16).expect("a byte in hex")).collect()
}

/// What is different between a value and the bytes that are to be its own.
fn difference<T: IntoBytes + FromBytes + Immutable + PartialEq + Debug>(value: &T, golden: &[u8]) -> Option<String> {
    if value.as_bytes() != golden {
        return Some(format!("{value:?} is written as {:02x?}, not as {golden:02x?}", value.as_bytes()));
    }
    let read = T::read_from_bytes(golden);
    (read.as_ref().ok() != Some(value)).then(|| format!("{golden:02x?} is read as {read:?}, not as {value:?}"))
}

fn check<T: IntoBytes + FromBytes + Immutable + PartialEq + Debug>(name: &str, sample: &T) {
    let path = path(name);
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, to_text(name, sample.as_bytes())).expect("the golden file can be written");
    }
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let golden = from_text(&text);
    assert_eq!(difference(sample, &golden), None, "{name}: the layout has changed");
    // The control: no change of one byte goes unnoticed.
    for position in 0..golden.len() {
        let mut mutated = golden.clone();
        mutated[position] ^= 1;
        assert!(difference(sample, &mutated).is_some(), "{name}: byte {position} is not compared");
    }
}

macro_rules! golden {
    ($($name:ident)+) => {
        $(
            #[test]
            fn $name() {
                check(stringify!($name), &samples::$name());
            }
        )+
    };
}

golden! {
    row_v4 row_v6 version create_request delete_request table_filter table_header apply_request apply_item apply_reply
    item_outcome generation lease_filter lease_row statistics interface_request
}
