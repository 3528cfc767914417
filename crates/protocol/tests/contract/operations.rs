//! The operation table.

use netio_anycast_protocol::operation::{Access, OPERATIONS, Operation};

/// As the `CTL_CODE` macro composes them. They never change.
const CONTROL_CODES: [(&str, u32); 9] = [
    ("QUERY_VERSION", 0x8ACA_6000),
    ("CREATE", 0x8ACA_A004),
    ("DELETE", 0x8ACA_A008),
    ("GET", 0x8ACA_600C),
    ("GET_TABLE", 0x8ACA_6010),
    ("APPLY", 0x8ACA_A014),
    ("WAIT_CHANGE", 0x8ACA_6018),
    ("LIST_LEASES", 0x8ACA_601C),
    ("QUERY_STATISTICS", 0x8ACA_6020),
];

#[test]
fn control_codes_never_change() {
    let codes = OPERATIONS.map(|definition| (definition.name, definition.control_code()));
    assert_eq!(codes, CONTROL_CODES);
}

#[test]
fn a_control_code_finds_its_operation_and_no_other_does() {
    for definition in &OPERATIONS {
        assert_eq!(Operation::from_control_code(definition.control_code()), Some(definition.operation));
        assert_eq!(definition.operation.definition().name, definition.name);
        for bit in 0..32 {
            let other = definition.control_code() ^ (1 << bit);
            let known = OPERATIONS.iter().any(|definition| definition.control_code() == other);
            assert_eq!(Operation::from_control_code(other).is_some(), known, "{other:#X}");
        }
    }
}

#[test]
fn what_changes_something_needs_write_access() {
    for definition in &OPERATIONS {
        let changes = matches!(definition.operation, Operation::Create | Operation::Delete | Operation::Apply);
        assert_eq!(definition.access, if changes { Access::Write } else { Access::Read }, "{}", definition.name);
    }
}

#[test]
fn a_length_is_a_fixed_part_and_whole_rows() {
    let exact = Operation::Create.definition().input;
    assert!([55, 57, 112, 0, usize::MAX].into_iter().all(|length| !exact.accepts(length)) && exact.accepts(56));
    let none = Operation::QueryVersion.definition().input;
    assert!(none.accepts(0) && !none.accepts(1));
    let rows = Operation::Apply.definition().input;
    for (length, accepted) in [(0, false), (7, false), (8, true), (71, false), (72, true), (73, false), (136, true)] {
        assert_eq!(rows.accepts(length), accepted, "{length}");
    }
}
