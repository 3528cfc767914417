//! Sizes, offsets, alignments and control codes, asserted by the header itself and by layout.c.

use crate::compiler::{checked_in, combinations, compile, mutated};

#[test]
fn the_header_compiles_for_every_processor_in_both_modes_as_c_and_as_cpp() {
    for combination in combinations() {
        let output = compile("layout.c", &checked_in(), combination, None);
        assert!(output.status.success(), "{combination:?}:\n{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// The control: a header that is wrong does not compile. Each change is tried in two combinations, and so each combination once.
#[test]
fn no_change_of_a_layout_or_a_code_compiles() {
    const CHANGES: [(&str, &str, &str); 6] = [
        ("field_longer", "ULONG MaxApplyItems;", "ULONG64 MaxApplyItems;"),
        ("field_lost", "  USHORT Driver[4];\n", ""),
        ("field_named_twice", "  UCHAR Field;\n", "  UCHAR State;\n"),
        ("alignment_lost", "DECLSPEC_ALIGN(8) ", ""),
        ("code", "CTL_CODE(NETIO_ANYCAST_DEVICE_TYPE, 0x801,", "CTL_CODE(NETIO_ANYCAST_DEVICE_TYPE, 0x811,"),
        ("access", "0x802, METHOD_BUFFERED, FILE_WRITE_ACCESS", "0x802, METHOD_BUFFERED, FILE_READ_ACCESS"),
    ];
    let combinations = combinations();
    assert_eq!(combinations.len(), 2 * CHANGES.len());
    for (number, (name, from, to)) in CHANGES.into_iter().enumerate() {
        let include = mutated(name, |header| header.replacen(from, to, 1));
        for combination in [combinations[number], combinations[number + CHANGES.len()]] {
            let output = compile("layout.c", &include, combination, None);
            assert!(!output.status.success(), "{name}: {combination:?} does not notice");
        }
    }
}

/// The calling convention is one of its own on x86 only.
#[test]
fn functions_without_their_calling_convention_do_not_compile_on_x86() {
    let include = mutated("convention", |header| header.replace("(NTAPI *Create)", "(*Create)"));
    let of_x86 = combinations()
        .into_iter()
        .filter(|(processor, _, mode)| *processor == "i686" && matches!(mode, crate::compiler::Mode::Kernel));
    for combination in of_x86 {
        assert!(!compile("layout.c", &include, combination, None).status.success(), "{combination:?}");
    }
}
