//! The table of operations.

use netio_anycast_protocol::operation::{Access, Length, OPERATIONS};

use crate::generated::{check, table};

fn length(length: Length) -> String {
    match length {
        Length { fixed: 0, row: 0 } => "none".into(),
        Length { fixed, row: 0 } => fixed.to_string(),
        Length { fixed, row: size } => format!("{fixed} + n × {size}"),
    }
}

#[test]
fn the_operations_are_those_of_the_operation_table() {
    let rows = OPERATIONS.map(|definition| {
        let access = match definition.access {
            Access::Read => "read",
            Access::Write => "write",
        };
        let feature = definition.feature.iter_names().map(|(name, _)| name).collect::<Vec<_>>().join(", ");
        [
            definition.name.to_owned(),
            format!("{:#05X}", definition.function),
            format!("`{:#010X}`", definition.control_code()),
            access.to_owned(),
            length(definition.input),
            length(definition.output),
            feature,
        ]
    });
    let head = ["Operation", "Function", "Control code", "Access", "Input", "Output", "Feature"];
    check("protocol.md", "operations", &table(head, rows));
}
