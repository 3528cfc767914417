//! The notices by which other drivers learn that this one is there, for those that are loaded first.
//!
//! They come through a callback object of the kernel, which every driver can create by name, whichever is loaded first. A device
//! interface would be announced by the Plug and Play manager at PASSIVE_LEVEL in a system thread and needs a device node, which a
//! driver without hardware does not have.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/defining-a-callback-object>

/// The callback object's name in the NT namespace.
///
/// Everybody creates it (`ExCreateCallback` with `Create` and `AllowMultipleCallbacks`), this driver and its clients alike: it
/// is there from the first of them to the last.
pub const CALLBACK_NAME: &str = r"\Callback\NetioAnycast";

/// What the driver tells: `Argument1` of the callback routine. `Argument2` is null.
///
/// The routine is called at PASSIVE_LEVEL, in the thread that loads or unloads the driver, which waits meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Notice {
    /// The device can be opened. It is told once while the driver is loaded; who registers later is told nothing, so a client
    /// registers first and then tries to open the device.
    Ready = 1,
    /// The device can't be opened any more. Nobody has it open then, and nobody has a direct-call interface: either keeps the
    /// driver loaded.
    Going = 2,
}

impl Notice {
    /// The notice with this number in `Argument1`, or `None`: one of a newer driver, to be ignored.
    #[must_use]
    pub const fn from_argument(argument: usize) -> Option<Self> {
        match argument {
            1 => Some(Self::Ready),
            2 => Some(Self::Going),
            _ => None,
        }
    }
}
