//! Numbers and names in the prose of `docs/protocol.md`.

use netio_anycast_protocol::operation::DEVICE_TYPE;
use netio_anycast_protocol::version::Features;
use netio_anycast_protocol::{DEVICE_NAME, DEVICE_PATH, SERVICE_NAME, SYMBOLIC_LINK_NAME};

use crate::generated::{check, read_document, table};

#[test]
fn the_features_are_those_of_the_protocol() {
    let rows = Features::all()
        .iter_names()
        .map(|(name, feature)| [feature.bits().trailing_zeros().to_string(), name.to_owned()]);
    check("protocol.md", "features", &table(["Bit", "Feature"], rows));
}

#[test]
fn the_names_are_those_of_the_protocol() {
    let document = read_document("protocol.md");
    let device_type = format!("{DEVICE_TYPE:#06X}");
    for name in [DEVICE_PATH, DEVICE_NAME, SYMBOLIC_LINK_NAME, SERVICE_NAME, device_type.as_str()] {
        assert!(document.contains(&format!("`{name}`")), "docs/protocol.md does not name `{name}`");
    }
}
