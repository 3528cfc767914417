//! Who may do what with a handle, and what may be opened.

use netio_anycast_client::Access;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::TableFilter;

use crate::bench::{Bench, Driver, ETHERNET, failure, on, resolved};

#[test]
fn a_handle_that_was_opened_to_read_can_t_write() {
    let bench = Bench::new();
    bench.driver.create(on(ETHERNET, "192.0.2.1")).expect("the address is new");
    let reader = Driver::open(Access::Read);
    let denied = failure(NtStatus::ACCESS_DENIED, 5);
    let before = bench.netio_calls();
    assert_eq!(reader.create(on(ETHERNET, "192.0.2.2")).map(drop), Err(denied));
    assert_eq!(reader.delete(on(ETHERNET, "192.0.2.1")), Err(denied));
    assert_eq!(bench.netio_calls(), before, "NetIO was called");
    assert_eq!(reader.get(on(ETHERNET, "192.0.2.1")), Ok(resolved(ETHERNET, "192.0.2.1")));
    assert_eq!(reader.table(TableFilter::ALL), Ok(vec![resolved(ETHERNET, "192.0.2.1")]));
}

/// Wine refuses such a name before the driver is asked, so the model's module asks the driver as Windows would: with an
/// IRP_MJ_CREATE whose file object has the name.
#[test]
fn there_is_nothing_to_open_below_the_device() {
    let bench = Bench::new();
    for name in [r"\", r"\below", r"\a\b", "no-backslash"] {
        assert_eq!(bench.model.open_name(name), Ok(NtStatus::OBJECT_NAME_INVALID), "{name}");
    }
    assert_eq!(bench.model.open_name(""), Ok(NtStatus::SUCCESS), "the device itself can be opened");
}
