//! Wine as a kernel host: a prefix below target/, the project's kernel modules in it, the driver, and programs that use it.
//!
//! [`KernelHost::start`] gives a running one, and whatever becomes of it afterwards, nothing of it is left behind: it is taken
//! down when it goes out of scope, at Ctrl+C, and, should this process have been killed, by the next one that starts.

mod host;
mod image;
mod output;
mod prefix;
mod processes;

pub(crate) use host::{Finished, KernelHost, Modules};
