//! The structs and enumerations, read from the crate's source by cbindgen.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use cbindgen::{Builder, Config, DocumentationStyle, ItemType, Language, LayoutConfig, RenameRule, SortKey, Style};

use super::assertions::FIELDS;
use super::c_text::{Names, from_cbindgen, type_name};

/// A part of the header: the Rust types that it declares.
pub(super) struct Part {
    structs: &'static [&'static str],
    enumerations: &'static [&'static str],
}

/// What travels.
pub(super) const WIRE: Part = Part {
    structs: &[
        "Version",
        "CreateRequest",
        "DeleteRequest",
        "TableFilter",
        "TableHeader",
        "ApplyRequest",
        "ApplyItem",
        "ApplyReply",
        "ItemOutcome",
        "Generation",
        "LeaseFilter",
        "LeaseRow",
        "OperationCounters",
        "Statistics",
    ],
    enumerations: &["Lifetime", "ApplyAction", "Field", "ItemState"],
};

/// What exists between drivers only.
pub(super) const KERNEL: Part = Part { structs: &["InterfaceRequest", "Interface"], enumerations: &["Notice"] };

impl Part {
    fn types(&self) -> Vec<&'static str> {
        [self.structs, self.enumerations].concat()
    }
}

/// Rust types that the SDK has, by its names for them.
const OF_THE_SDK: [(&str, &str); 4] = [
    ("AddressFamily", "ADDRESS_FAMILY"),
    ("Luid", "NET_LUID"),
    ("NtStatus", "NTSTATUS"),
    ("Row", "MIB_ANYCASTIPADDRESS_ROW"),
];

/// The declarations of one part.
///
/// # Errors
/// The crate's source can't be read.
pub(super) fn text(root: &Path, part: &Part) -> Result<String> {
    let bindings = Builder::new()
        .with_crate(root.join("crates/protocol"))
        .with_config(configuration(part))
        .generate()
        .context("cbindgen can't read crates/protocol")?;
    let mut written = Vec::new();
    bindings.write(&mut written);
    let written = String::from_utf8(written).context("cbindgen wrote no text")?;
    let names = Names {
        structs: &[WIRE.structs, KERNEL.structs].concat(),
        enumerations: &[WIRE.enumerations, KERNEL.enumerations].concat(),
        fields: FIELDS,
    };
    Ok(from_cbindgen(&written, &names))
}

fn all_types() -> Vec<&'static str> {
    [WIRE.types(), KERNEL.types()].concat()
}

fn configuration(part: &Part) -> Config {
    let mut config = Config {
        language: Language::C,
        style: Style::Type,
        no_includes: true,
        documentation_style: DocumentationStyle::C99,
        sort_by: SortKey::None,
        tab_width: 2,
        // Lines are wrapped later, when they have their names.
        line_length: usize::MAX,
        layout: LayoutConfig { aligned_n: Some("DECLSPEC_ALIGN".to_owned()), ..LayoutConfig::default() },
        ..Config::default()
    };
    config.structure.rename_fields = RenameRule::PascalCase;
    config.enumeration.rename_variants = RenameRule::QualifiedScreamingSnakeCase;
    config.export.item_types = vec![ItemType::Structs, ItemType::Enums, ItemType::Typedefs];
    config.export.include = part.types().into_iter().map(str::to_owned).collect();
    let others = all_types().into_iter().filter(|name| !part.types().contains(name));
    let excluded = others.chain(OF_THE_SDK.map(|(name, _)| name)).chain(["Access", "Operation", "SocketAddress"]);
    config.export.exclude = excluded.map(str::to_owned).collect();
    config.export.rename = renamed();
    config
}

fn renamed() -> HashMap<String, String> {
    let own = all_types().into_iter().map(|name| (name.to_owned(), type_name(name)));
    own.chain(OF_THE_SDK.map(|(name, sdk)| (name.to_owned(), sdk.to_owned()))).collect()
}
