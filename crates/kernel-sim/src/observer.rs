//! Telling somebody of every call of a service as it comes, who is left to tell of it if nobody else is.

use std::fmt;
use std::sync::Arc;

use crate::violation::Frame;

type Observe = dyn Fn(&'static str, Option<&Frame>) + Send + Sync;

/// Is told of every call of a service before the service runs: its name, and the place in the driver that it returns to, without
/// a symbol. Clones tell the same.
#[derive(Clone)]
pub struct Observer(Arc<Observe>);

impl Observer {
    /// Tells `observe`, which runs on the driver's stack and must not call the kernel.
    #[must_use]
    pub fn new(observe: impl Fn(&'static str, Option<&Frame>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(observe))
    }

    pub(crate) fn called(&self, service: &'static str, place: Option<&Frame>) {
        (self.0)(service, place);
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Observer")
    }
}
