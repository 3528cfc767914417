//! Images that can't be loaded: each with a reason that tells what is wrong.

use kernel_sim::{Image, ImageError, Kernel, LoadError, Options};

use crate::bench::{image, kernel};

/// The image's bytes with `old` replaced by `new`, of the same length.
fn replaced(old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut bytes = image().bytes().to_vec();
    let position = bytes.windows(old.len()).position(|window| window == old).expect("the image contains it");
    bytes[position..position + new.len()].copy_from_slice(new);
    bytes
}

/// Where the PE file header begins.
fn file_header(bytes: &[u8]) -> usize {
    usize::from(u16::from_le_bytes([bytes[0x3C], bytes[0x3D]])) + 4
}

fn load(kernel: &Kernel, bytes: Vec<u8>) -> Result<(), LoadError> {
    let driver = kernel.load(&Image::from_bytes(bytes)?, "broken")?;
    assert!(driver.unload());
    Ok(())
}

#[test]
fn what_is_no_pe_image_is_named_so() {
    for bytes in [Vec::new(), b"MZ".to_vec(), b"#!/bin/sh\nexit 0\n".to_vec(), vec![0; 4096]] {
        assert!(matches!(Image::from_bytes(bytes), Err(ImageError::NotPe(_))));
    }
}

#[test]
fn an_image_for_another_machine_is_named_so() {
    let mut bytes = image().bytes().to_vec();
    let machine = file_header(&bytes);
    bytes[machine..machine + 2].copy_from_slice(&0xAA64_u16.to_le_bytes());
    let error = Image::from_bytes(bytes).expect_err("ARM64 does not run here");
    assert_eq!(
        error.to_string(),
        "the image is for machine 0xaa64, and only images for x64 (machine 0x8664) can run here"
    );
}

#[test]
fn unknown_imports_are_named_all_of_them() {
    let kernel = kernel(Options::default());
    let mut bytes = replaced(b"IofCompleteRequest\0", b"IofCompleteRequesT\0");
    let position = bytes.windows(13).position(|window| window == b"FreeMibTable\0").expect("it is imported");
    bytes[position..position + 12].copy_from_slice(b"FreeMibTablE");
    match load(&kernel, bytes) {
        Err(LoadError::Image(ImageError::UnknownImports(names))) => {
            assert_eq!(names, ["netio.sys!FreeMibTablE", "ntoskrnl.exe!IofCompleteRequesT"]);
        }
        other => panic!("unknown imports led to {other:?}"),
    }
}

#[test]
fn an_image_that_ends_early_is_damaged_wherever_it_ends() {
    let whole = image().bytes().to_vec();
    for length in (0..whole.len()).step_by(512) {
        let kernel = kernel(Options::default());
        match load(&kernel, whole[..length].to_vec()) {
            Err(LoadError::Image(ImageError::Damaged(_) | ImageError::NotPe(_))) => {}
            other => panic!("an image of {length} bytes led to {other:?}"),
        }
    }
}

#[test]
fn any_header_byte_may_be_wrong_without_harm_to_the_simulator() {
    let whole = image().bytes().to_vec();
    let headers = 0x400;
    for offset in 0..headers {
        let mut bytes = whole.clone();
        bytes[offset] ^= 0xFF;
        let options = Options { time_limit: std::time::Duration::from_millis(200), ..Options::default() };
        // Loaded or refused, crashed or not: it comes back with a verdict.
        let _ = load(&kernel(options), bytes);
    }
}
