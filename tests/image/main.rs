//! What must be true of the driver's image, whoever built it: read from its headers, its import table and its sections.
//!
//! The image is the one that `cargo xtask build` made, or the one that `NETIO_ANYCAST_IMAGE` names: the tests run on
//! Windows over an image built there too. Every check has its control: the same check over a copy of the image with just
//! that property broken.

#![forbid(unsafe_code)]

mod checks;
mod image;
mod imports;
mod mutation;

use checks::Check;
use image::Image;

/// The check passes on the image, and fails on each copy that the mutations break.
fn holds_and_can_fail(check: Check, mutations: &[fn(&Image) -> Vec<u8>]) {
    let image = Image::built();
    check(&image).expect("the built image has the property");
    for (number, mutate) in mutations.iter().enumerate() {
        let broken = Image::from_bytes(mutate(&image)).expect("the broken copy is still a PE image");
        let verdict = check(&broken);
        assert!(verdict.is_err(), "the check does not notice mutation {number}");
    }
}

#[test]
fn it_is_a_native_image_for_x64() {
    holds_and_can_fail(checks::native_x64, &[mutation::windows_subsystem, mutation::arm64_machine]);
}

#[test]
fn its_data_is_not_executable_and_its_address_is_not_fixed() {
    holds_and_can_fail(
        checks::nx_and_relocatable,
        &[mutation::without_nx, mutation::without_dynamic_base, mutation::without_relocations],
    );
}

#[test]
fn windows_must_check_its_signature_before_loading_it() {
    holds_and_can_fail(checks::forced_integrity, &[mutation::without_forced_integrity]);
}

#[test]
fn indirect_calls_are_guarded() {
    holds_and_can_fail(checks::control_flow_guard, &[mutation::without_guard_cf, mutation::without_guard_flags]);
}

#[test]
fn no_section_is_both_writable_and_executable() {
    holds_and_can_fail(checks::no_writable_code, &[mutation::writable_code]);
}

#[test]
fn the_checksum_in_the_header_is_right() {
    holds_and_can_fail(checks::checksum, &[mutation::flipped_byte]);
}

#[test]
fn it_names_its_pdb_which_lies_beside_it() {
    holds_and_can_fail(checks::pdb, &[mutation::other_pdb_signature]);
}

#[test]
fn its_version_resource_tells_this_package_s_version() {
    holds_and_can_fail(checks::version_resource, &[mutation::other_version]);
}

#[test]
fn it_cannot_panic_since_it_does_not_import_ke_bug_check_ex() {
    holds_and_can_fail(imports::no_bug_check, &[mutation::imports_ke_bug_check_ex]);
}

#[test]
fn it_exports_its_entry_point_and_what_the_compiler_makes_it_export() {
    holds_and_can_fail(imports::only_known_exports, &[mutation::exports_something_unknown]);
}

#[test]
fn it_imports_nothing_that_windows_10_version_1809_does_not_export() {
    holds_and_can_fail(imports::all_exported_by_1809, &[mutation::imports_something_unknown]);
}

/// The client for drivers is linked into somebody else's image: it must not bring a panic there.
#[test]
fn the_sample_in_rust_cannot_panic_either_and_is_built_as_the_driver_is() {
    let checks: [Check; 6] = [
        imports::no_bug_check,
        checks::native_x64,
        checks::nx_and_relocatable,
        checks::forced_integrity,
        checks::control_flow_guard,
        checks::no_writable_code,
    ];
    let sample = Image::of_the_sample();
    for check in checks {
        check(&sample).expect("the sample's image has the property");
    }
}
