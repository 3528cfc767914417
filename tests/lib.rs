//! Nothing but the tests beside it: see `image` and `wine`.
