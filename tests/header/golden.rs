//! The bytes of the samples as C has them, against the golden files that the tests of crates/protocol write and read.
//!
//! golden.c is compiled, not run: the bytes are read from the object file, so that they are compared for processors that are not
//! at hand as well.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use object::{Object, ObjectSection, ObjectSymbol, SymbolKind};

use crate::compiler::{DIRECTORY, Language, Mode, PROCESSORS, checked_in, compile, mutated};

type Samples = BTreeMap<String, Vec<u8>>;

/// The samples in C, by name.
fn in_c(name: &str, include: &Path, processor: &str, mode: Mode) -> Samples {
    let object = Path::new(DIRECTORY).join(format!("golden-{name}-{processor}-{mode:?}.obj"));
    let output = compile("golden.c", include, (processor, Language::C11, mode), Some(&object));
    assert!(output.status.success(), "{processor}, {mode:?}:\n{}", String::from_utf8_lossy(&output.stderr));
    let bytes = std::fs::read(&object).expect("the object was just written");
    let object = object::File::parse(bytes.as_slice()).expect("it is an object file");
    // With -fdata-sections each variable has a section of its own.
    let variables = object.symbols().filter(|symbol| symbol.is_global() && symbol.kind() == SymbolKind::Data);
    let variables = variables.map(|symbol| {
        let name = symbol.name().expect("a variable has a name").trim_start_matches('_').to_owned();
        let section = symbol.section_index().expect("it is defined");
        let section = object.section_by_index(section).expect("its section exists");
        (name, section.data().expect("it has bytes").to_vec())
    });
    variables.collect()
}

/// The golden files, by name.
fn golden() -> Samples {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/protocol/tests/golden");
    let files = std::fs::read_dir(&folder).expect("the golden files are there");
    let paths = files.map(|file| file.expect("it can be listed").path());
    paths.map(|path| (path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), bytes(&path))).collect()
}

fn bytes(path: &PathBuf) -> Vec<u8> {
    let text = std::fs::read_to_string(path).expect("a golden file can be read");
    let lines = text.lines().filter_map(|line| line.split_once(": ")).filter(|(offset, _)| !offset.starts_with('#'));
    let bytes = lines.flat_map(|(_, bytes)| bytes.split(' '));
    bytes.map(|byte| u8::from_str_radix(byte, 16).expect("a byte in hex")).collect()
}

/// The samples that differ, of those that `mode` has.
fn differences(samples: &Samples, mode: Mode) -> Vec<String> {
    let mut golden = golden();
    if matches!(mode, Mode::User) {
        // Kernel mode alone knows it.
        golden.remove("interface_request");
    }
    let names = golden.keys().chain(samples.keys()).filter(|name| golden.get(*name) != samples.get(*name));
    let mut names: Vec<String> = names.cloned().collect();
    names.dedup();
    names
}

#[test]
fn c_writes_the_golden_bytes_on_every_processor() {
    for processor in PROCESSORS {
        let samples = in_c("checked-in", &checked_in(), processor, Mode::User);
        assert!(differences(&samples, Mode::User).is_empty(), "{processor}: {:?}", differences(&samples, Mode::User));
    }
    let samples = in_c("checked-in", &checked_in(), "x86_64", Mode::Kernel);
    assert!(differences(&samples, Mode::Kernel).is_empty(), "kernel: {:?}", differences(&samples, Mode::Kernel));
}

/// The control: a header whose every assertion holds, with the names of two fields swapped throughout.
#[test]
fn two_fields_with_each_others_names_are_noticed() {
    let include = mutated("names_swapped", |header| {
        header
            .replace("MaxLeasesPerHandle", "Other")
            .replace("MaxPendingWaits", "MaxLeasesPerHandle")
            .replace("Other", "MaxPendingWaits")
    });
    let samples = in_c("mutated", &include, "x86_64", Mode::User);
    assert_eq!(differences(&samples, Mode::User), ["version"]);
}
