//! What judge and worker say to each other: a line of JSON each.

use std::path::PathBuf;
use std::time::Duration;

use kernel_sim::{Frame, Violation};
use serde::{Deserialize, Serialize};

/// What the judge asks of a worker.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Task {
    /// Run the driver. Ends with [`Message::Ended`].
    Judge {
        /// Its image.
        image: PathBuf,
        /// Control codes to send besides those that its code suggests.
        codes: Vec<u32>,
        /// How long one call of the driver may take, or an IRP may pend.
        limit: Duration,
    },
    /// Tell what stands before an offset of an image, where the call is that returns there. Answered by [`Message::Symbol`].
    Name {
        /// The image.
        image: PathBuf,
        /// The offset.
        offset: usize,
    },
}

/// What a worker tells.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Message {
    /// What is done next, in words.
    Begins(String),
    /// The driver calls a service.
    Calls(Call),
    /// The driver has broken a rule.
    Breaks(Finding),
    /// The driver was judged, as far as that was possible.
    Ended(End),
    /// What stands at a place, if there is a PDB that tells.
    Symbol(Option<String>),
}

/// A call of a service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Call {
    pub(crate) service: String,
    /// The driver that has called, and the offset in its image to which the call returns.
    pub(crate) place: Option<(String, usize)>,
}

/// A rule that was broken.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Finding {
    /// The rule's name in `kernel_sim::Rule`.
    pub(crate) rule: String,
    /// What exactly was wrong.
    pub(crate) detail: String,
    /// The driver's call stack, the innermost call first.
    pub(crate) stack: Vec<String>,
    /// The report of the simulated kernel.
    pub(crate) report: String,
}

impl From<&Violation> for Finding {
    fn from(violation: &Violation) -> Self {
        Self {
            rule: format!("{:?}", violation.rule),
            detail: violation.detail.clone(),
            stack: violation.stack.iter().map(Frame::to_string).collect(),
            report: violation.to_string(),
        }
    }
}

/// How far a driver was judged.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum End {
    /// Its image can't be loaded, for this reason.
    NotLoaded(String),
    /// DriverEntry has returned this status, which is an error.
    Refused(String),
    /// It has crashed: nothing of it runs any more.
    Stopped,
    /// As far as it goes.
    Whole(Work),
}

/// What a driver has been through.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Work {
    /// The devices that were opened.
    pub(crate) devices: usize,
    /// Those that could not be, with the reason.
    pub(crate) closed: Vec<String>,
    /// The device controls that were sent.
    pub(crate) requests: usize,
    /// The calls of services that were judged.
    pub(crate) calls: usize,
    /// Whether it was unloaded in the end.
    pub(crate) is_unloaded: bool,
}
