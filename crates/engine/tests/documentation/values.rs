//! Numbers and names in the prose of `docs/protocol.md`.

use netio_anycast_protocol::interface::QUERY_INTERFACE;
use netio_anycast_protocol::notice::CALLBACK_NAME;
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
    let query_interface = format!("{QUERY_INTERFACE:#010X}");
    let numbers = [device_type.as_str(), query_interface.as_str()];
    let names = [DEVICE_PATH, DEVICE_NAME, SYMBOLIC_LINK_NAME, SERVICE_NAME, CALLBACK_NAME];
    for name in names.into_iter().chain(numbers) {
        assert!(document.contains(&format!("`{name}`")), "docs/protocol.md does not name `{name}`");
    }
}
