//! Any request, any answer of NetIO's: the driver keeps its promises.
//!
//! Run for 60 s: `RUSTC_BOOTSTRAP=1 cargo fuzz run decode --features libfuzzer -- -max_total_time=60`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use netio_anycast_fuzz::{Case, check};

fuzz_target!(|data: &[u8]| {
    if let Some(case) = Case::from_bytes(data) {
        check(&case);
    }
});
