//! A `netio.sys` for Wine: `netio-model` behind the seven functions that the driver imports, and a control device by which a
//! test arranges it (`netio_model::control`).
//!
//! Wine loads the module as an import of the driver without calling anything in it, so that everything is initialized
//! statically or when it is first used. The control device comes with the service that starts the same module as a driver
//! of its own, in the same kernel host: in the driver's load order group, and before it.

#![no_std]

mod control;
mod exports;
mod gate;
mod lock;
mod open_name;
mod unicode_string;

use lock::Lock;
use netio_model::Model;

/// The NetIO of this kernel host, once somebody uses it. It stays as long as the module is loaded.
static MODEL: Lock<Option<Model>> = Lock::new(None);

/// Runs `work` on the model.
fn with_model<R>(work: impl FnOnce(&mut Model) -> R) -> R {
    MODEL.with(|model| work(model.get_or_insert_default()))
}
