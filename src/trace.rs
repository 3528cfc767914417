//! Events.
use netio_anycast_engine::TraceEvent;
pub(crate) fn register() {}
pub(crate) fn unregister() {}
pub(crate) fn is_enabled() -> bool {
    false
}
pub(crate) fn write(_event: &TraceEvent) {}
