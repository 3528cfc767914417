//! Images that are damaged, of another kind, or for another machine.

use insta::assert_snapshot;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::Value;

use crate::bench::{bytes, control, judge, own, verdicts, write};

/// An image that nothing is wrong with, and that is quickly judged.
fn whole() -> Vec<u8> {
    bytes(&own("no_device"))
}

/// Where the PE file header begins.
fn file_header(bytes: &[u8]) -> usize {
    usize::from(u16::from_le_bytes([bytes[0x3C], bytes[0x3D]])) + 4
}

/// How long the headers are, from the first byte to the end of the section table.
fn headers(bytes: &[u8]) -> usize {
    const FILE_HEADER: usize = 20;
    const SECTION_HEADER: usize = 40;
    let start = file_header(bytes);
    let field = |offset: usize| usize::from(u16::from_le_bytes([bytes[start + offset], bytes[start + offset + 1]]));
    let (sections, optional_header) = (field(2), field(16));
    start + FILE_HEADER + optional_header + sections * SECTION_HEADER
}

/// Writes `new` over `old`, which the image contains.
fn replace(bytes: &mut [u8], old: &[u8], new: &[u8]) {
    let position = bytes.windows(old.len()).position(|window| window == old).expect("the image contains it");
    bytes[position..position + new.len()].copy_from_slice(new);
}

/// What is said of an image that can't be loaded.
fn refused(name: &str, bytes: &[u8]) -> String {
    let judged = judge(&[&write(name, bytes)]);
    assert_eq!(judged.code, Some(1), "{}", judged.text);
    judged.text
}

#[test]
fn what_is_no_image_is_told_so() {
    assert_snapshot!(refused("empty.sys", b""), @r#"
    written/empty.sys: cannot be loaded
      this is no PE image: Could not read file magic
    "#);
    assert_snapshot!(refused("script.sys", b"#!/bin/sh\nexit 0\n"), @r#"
    written/script.sys: cannot be loaded
      this is no PE image: Unknown file magic
    "#);
    assert_snapshot!(refused("zeros.sys", &[0; 4096]), @r#"
    written/zeros.sys: cannot be loaded
      this is no PE image: Unknown file magic
    "#);
}

#[test]
fn a_file_that_is_not_there_is_told_so() {
    assert_snapshot!(judge(&["missing.sys"]).text, @r#"
    missing.sys: cannot be loaded
      cannot read missing.sys: No such file or directory (os error 2)
    "#);
}

#[test]
fn an_image_for_another_machine_is_told_so() {
    let mut bytes = whole();
    let machine = file_header(&bytes);
    bytes[machine..machine + 2].copy_from_slice(&0xAA64_u16.to_le_bytes());
    assert_snapshot!(refused("arm64.sys", &bytes), @r#"
    written/arm64.sys: cannot be loaded
      the image is for machine 0xaa64, and only images for x64 (machine 0x8664) can run here
    "#);
    let magic = file_header(&bytes) + 20;
    bytes[magic..magic + 2].copy_from_slice(&0x10B_u16.to_le_bytes());
    assert_snapshot!(refused("x86.sys", &bytes), @r#"
    written/x86.sys: cannot be loaded
      the image is for a 32-bit machine, and only images for x64 (machine 0x8664) can run here
    "#);
}

#[test]
fn an_image_without_relocations_has_nothing_to_relocate_unless_they_were_stripped() {
    let image = own("nothing_to_relocate");
    assert_eq!(verdicts(std::slice::from_ref(&image))[0]["verdict"], "clean");
    let mut bytes = bytes(&image);
    let characteristics = file_header(&bytes) + 18;
    // IMAGE_FILE_RELOCS_STRIPPED.
    bytes[characteristics] |= 1;
    assert_snapshot!(refused("stripped.sys", &bytes), @r#"
    written/stripped.sys: cannot be loaded
      the image is damaged: it can't be relocated: its relocations are stripped
    "#);
}

#[test]
fn unknown_imports_are_told_all_of_them() {
    let mut bytes = whole();
    replace(&mut bytes, b"ExFreePoolWithTag\0", b"ExFreePoolWithTaG\0");
    replace(&mut bytes, b"FreeMibTable\0", b"FreeMibTablE\0");
    assert_snapshot!(refused("imports.sys", &bytes), @r#"
    written/imports.sys: cannot be loaded
      the image imports what the simulated kernel lacks: netio.sys!FreeMibTablE, ntoskrnl.exe!ExFreePoolWithTaG
    "#);
}

#[test]
fn an_image_that_ends_early_can_t_be_loaded_wherever_it_ends() {
    let whole = whole();
    // Any byte of the headers, and of everything else some.
    let lengths = (0..headers(&whole)).chain((headers(&whole)..whole.len()).step_by(61));
    let images: Vec<String> = lengths.map(|length| write(&format!("first-{length}.sys"), &whole[..length])).collect();
    for verdict in verdicts(&images) {
        assert_eq!(verdict["verdict"], "not_loaded", "{verdict:#}");
        let reason = verdict["reason"].as_str().unwrap_or_default();
        assert!(
            reason.starts_with("the image is damaged: ") || reason.starts_with("this is no PE image: "),
            "{reason}"
        );
    }
}

#[test]
fn whatever_byte_of_the_headers_is_wrong_there_is_a_verdict() {
    let whole = whole();
    let spoilt = |offset: usize| {
        let mut bytes = whole.clone();
        bytes[offset] ^= 0xFF;
        write(&format!("byte-{offset}.sys"), &bytes)
    };
    let verdicts = verdicts(&(0..headers(&whole)).map(spoilt).collect::<Vec<_>>());
    // The control: some bytes matter, to some not.
    for word in ["clean", "not_loaded", "crashes"] {
        assert!(verdicts.iter().any(|verdict| verdict["verdict"] == word), "nothing is {word}");
    }
    assert!(verdicts.iter().all(|verdict| verdict["verdict"] != "hangs"), "{}", Value::from(verdicts));
}

proptest! {
    // The same each time: what damaged code does is nobody's to foresee.
    #![proptest_config(ProptestConfig { cases: 64, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..Default::default() })]

    #[test]
    fn whichever_bits_are_wrong_there_is_a_verdict(flips in prop::collection::vec((any::<prop::sample::Index>(), 0_u32..8), 1..8)) {
        let mut bytes = bytes(&control("clean"));
        for (place, bit) in flips {
            *place.get_mut(&mut bytes) ^= 1_u8 << bit;
        }
        let verdict = &verdicts(&[write("bits.sys", &bytes)])[0];
        prop_assert!(verdict["verdict"].is_string(), "{:#}", verdict);
    }
}
