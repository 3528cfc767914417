//! `stats`.

use insta::assert_snapshot;

use crate::fake::Fake;
use crate::{run, transcript};

#[test]
fn counters() {
    let platform = Fake::with_model(|_| {});
    for command_line in [
        "add 192.0.2.1 --interface 5",
        "add 192.0.2.1 --interface 5",
        "add 224.0.0.1 --interface 5",
        "add 192.0.2.2 --interface 99",
        "get 192.0.2.1 --interface 5",
        "delete 192.0.2.1 --interface 5",
    ] {
        run(Ok(&platform), command_line);
    }
    assert_snapshot!(transcript(&platform, &["stats", "--json stats"]));
}
