//! What can happen in a scenario.

use serde::Deserialize;

use super::{FamilyName, FaultDefinition, Input, SettingsDefinition};

/// One step.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Step {
    /// Opens a device, or a name below it, as a program does.
    Open {
        /// The name of the handle in later steps.
        handle: String,
        /// What for.
        access: AccessName,
        /// Which device.
        #[serde(default)]
        device: DeviceName,
        /// What follows the device's name.
        #[serde(default)]
        below: String,
    },
    /// Sends the driver an IRP_MJ_CREATE whose file object has this name.
    Create {
        /// The file object's name.
        name: String,
    },
    /// Closes a handle. What is pending through it is not cancelled before, and nobody hears of its end.
    Close {
        /// Which.
        handle: String,
    },
    /// Sends one request.
    Control {
        /// Through which handle.
        handle: String,
        /// The name of the operation, as in the operation table.
        operation: String,
        /// The input; none if it is not given.
        #[serde(default)]
        input: Input,
        /// The length of the output buffer: that of the operation's fixed part if it is not given.
        output: Option<usize>,
    },
    /// Sends one request that may pend.
    Begin {
        /// The request's name in later steps.
        request: String,
        /// Through which handle.
        handle: String,
        /// The name of the operation; or `PEND`, which has the partner let the request pend.
        operation: String,
        /// The input; none if it is not given.
        #[serde(default)]
        input: Input,
    },
    /// Cancels a request, as its sender may.
    Cancel {
        /// Which.
        request: String,
    },
    /// Waits for the end of a request.
    Finish {
        /// Which.
        request: String,
    },
    /// Has the partner complete all that pends there.
    CompletePended {
        /// Through which handle.
        handle: String,
    },
    /// Writes down in which order the partner was sent what, since the last time, and then forgets it.
    Journal {
        /// Through which handle.
        handle: String,
        /// How many file objects have to be closed first: the end of a process takes its time.
        #[serde(default)]
        closed: usize,
    },
    /// Another process does some steps, and stays.
    Client {
        /// Its name.
        client: String,
        /// What it does.
        #[serde(rename = "step")]
        steps: Vec<Step>,
    },
    /// Kills it.
    Kill {
        /// Which.
        client: String,
    },
    /// Waits until NetIO has so many addresses: the end of a process takes its time.
    AwaitAddresses {
        /// How many.
        count: usize,
    },
    /// Sends an operation with inputs of zeros of every length up to some bytes more than is right.
    InputLengths {
        /// Through which handle.
        handle: String,
        /// Which.
        operation: String,
    },
    /// Sends an operation with output buffers of every length that is too small.
    OutputLengths {
        /// Through which handle.
        handle: String,
        /// Which.
        operation: String,
    },
    /// Sends an operation's control code with each of its 32 bits inverted, except those that make another operation's code.
    CodeBits {
        /// Through which handle.
        handle: String,
        /// Which.
        operation: String,
    },
    /// Adds a network interface.
    AddInterface {
        /// Its name in the scenario.
        interface: String,
    },
    /// Removes one.
    RemoveInterface {
        /// Its name in the scenario.
        interface: String,
    },
    /// Has NetIO behave differently from now on, and in everything that is not given here by default.
    Configure(SettingsDefinition),
    /// Has calls of NetIO fail.
    Fault(FaultDefinition),
    /// Puts an address there, as somebody other than the driver.
    Insert {
        /// The address.
        address: std::net::IpAddr,
        /// Its interface.
        interface: String,
    },
    /// Puts many there: those that `netio_model` numbers from 0.
    Populate {
        /// Their interface.
        interface: String,
        /// Their family.
        family: FamilyName,
        /// How many.
        count: u32,
    },
    /// Writes down what NetIO has been called for, what it has, and what is wrong with the tables that it handed out.
    Netio {
        /// How often it was asked for tables is not written down: while somebody waits for a change, that depends on the clock.
        #[serde(default)]
        timed: bool,
    },
}

/// What a handle is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccessName {
    /// GENERIC_READ.
    Read,
    /// GENERIC_READ and GENERIC_WRITE.
    ReadWrite,
}

/// A device that a scenario opens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceName {
    /// That of the netio-anycast driver.
    #[default]
    Anycast,
    /// That of the [partner](crate::partner), which tells in which order it is sent what.
    Partner,
}
