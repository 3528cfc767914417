//! Any request, any answer of NetIO's: the driver keeps its promises.
//!
//! For 60 s, with what the fuzzer finds kept out of the seeds:
//!
//! ```sh
//! mkdir -p target/fuzz-corpus
//! CARGO_PROFILE_RELEASE_LTO=false RUSTC_BOOTSTRAP=1 \
//!     cargo fuzz run --features libfuzzer decode target/fuzz-corpus fuzz/corpus/decode -- -max_total_time=60
//! ```
//!
//! The fuzzer's instrumentation does not survive the workspace's link-time optimisation.

#![no_main]

use libfuzzer_sys::fuzz_target;
use netio_anycast_fuzz::{Case, check};

fuzz_target!(|data: &[u8]| {
    if let Some(case) = Case::from_bytes(data) {
        check(&case);
    }
});
