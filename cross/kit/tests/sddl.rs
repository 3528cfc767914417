//! What wdmsec.lib on Linux makes of security descriptor strings, compiled for the host with every check on.

#![forbid(unsafe_code)]

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

/// The program `sddl_main.c`, compiled with the host's C compiler.
static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
    let kit = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sddl");
    let status = Command::new("cc")
        .args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-g"])
        .args(["-fsanitize=address,undefined", "-fno-sanitize-recover=all"])
        .args([kit.join("tests/sddl_main.c"), kit.join("lib/sddl.c")])
        .arg("-o")
        .arg(&program)
        .status()
        .expect("a C compiler, which Rust needs too");
    assert!(status.success(), "the compiler refuses the source");
    program
});

fn descriptor(text: &str) -> String {
    let output = Command::new(&*PROGRAM).arg(text).output().expect("the program was just compiled");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("hexadecimal").trim().to_owned()
}

/// The header of a descriptor with a protected DACL only, and of an ACL with this size and this number of entries.
fn headers(acl_size: u16, aces: u16) -> String {
    let [size_low, size_high] = acl_size.to_le_bytes();
    let [aces_low, aces_high] = aces.to_le_bytes();
    format!(
        "01000490{}{}14000000{}",
        "0".repeat(16),
        "0".repeat(8),
        format_args!("0200{size_low:02x}{size_high:02x}{aces_low:02x}{aces_high:02x}0000")
    )
}

const SYSTEM_ALL: &str = "00001400ff011f00010100000000000512000000";
const ADMINISTRATORS_ALL: &str = "00001800ff011f0001020000000000052000000020020000";

#[test]
fn the_drivers_descriptor_lets_system_and_administrators_in_and_nobody_else() {
    assert_eq!(descriptor("D:P(A;;GA;;;SY)(A;;GA;;;BA)"), headers(8 + 20 + 24, 2) + SYSTEM_ALL + ADMINISTRATORS_ALL);
}

#[test]
fn a_dacl_without_entries_lets_only_the_kernel_in() {
    assert_eq!(descriptor("D:P"), headers(8, 0));
}

#[test]
fn entries_deny_too_and_rights_add_up() {
    // GENERIC_READ | GENERIC_WRITE of a file, denied to Everyone (S-1-1-0).
    assert_eq!(descriptor("D:P(D;;GRGW;;;WD)"), headers(8 + 20, 1) + "010014009f0112000101000000000001" + "00000000");
}

#[test]
fn what_is_not_understood_is_refused() {
    let too_many = format!("D:P{}", "(A;;GA;;;SY)".repeat(17));
    for text in [
        "",
        "D:",
        "D:(A;;GA;;;SY)",
        "O:SYD:P(A;;GA;;;SY)",
        "D:P(A;;GA;;;SY",
        "D:P(A;;GA;;;SY)x",
        "D:P(A;;;;;SY)",
        "D:P(A;;0x1;;;SY)",
        "D:P(A;;GA;;;S-1-5-18)",
        "D:P(A;;GA;;;XX)",
        "D:P(A;OICI;GA;;;SY)",
        "D:P(OA;;GA;;;SY)",
        "D:P(AU;;GA;;;SY)",
        "D:PAI(A;;GA;;;SY)",
        "D:P (A;;GA;;;SY)",
        "d:p(a;;ga;;;sy)",
        "D:P(A;;GA;;;SY)S:(AU;SA;GA;;;WD)",
        too_many.as_str(),
    ] {
        assert_eq!(descriptor(text), "refused", "{text}");
    }
}

#[test]
fn as_many_entries_as_fit_are_taken() {
    let most = format!("D:P{}", "(A;;GA;;;BA)".repeat(16));
    assert_eq!(descriptor(&most), headers(8 + 16 * 24, 16) + &ADMINISTRATORS_ALL.repeat(16));
}
