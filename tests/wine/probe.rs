//! The probe of `tests/wine/drivers`, as a test runs its checks.

use std::fmt;

use netio_anycast_client::{Access, DeviceTransport, Error, OsError, Transport};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

/// METHOD_BUFFERED and FILE_ANY_ACCESS.
pub(crate) const fn code(function: u32) -> u32 {
    0x8ACD << 16 | function << 2
}

const RUN: u32 = code(0x800);
const LIST: u32 = code(0x801);

/// `struct report` of `drivers/probe/probe.h`.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Report {
    met: u32,
    line: u32,
    file: [u8; 32],
    text: [u8; 216],
}

/// What a check has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// As Windows documents it, in so many expectations.
    Right(u32),
    /// The first expectation that was not met, and where it stands.
    Wrong(String),
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Right(met) => write!(formatter, "right in {met} expectations"),
            Self::Wrong(place) => write!(formatter, "not as expected: {place}"),
        }
    }
}

/// The probe's device.
pub(crate) struct Probe {
    device: DeviceTransport,
}

impl Probe {
    pub(crate) fn open() -> Self {
        Self::of_service("kernel_probe").expect("the probe runs")
    }

    /// The device of a service that the probe runs as: it is named for it.
    pub(crate) fn of_service(service: &str) -> Result<Self, Error> {
        DeviceTransport::open_path(&format!(r"\\.\{service}"), Access::ReadWrite).map(|device| Self { device })
    }

    /// Runs one check.
    pub(crate) fn run(&self, name: &str) -> Result<Verdict, OsError> {
        let mut input = std::process::id().as_bytes().to_vec();
        input.extend_from_slice(name.as_bytes());
        let mut report = Report::new_zeroed();
        self.device.control(RUN, &input, report.as_mut_bytes())?;
        Ok(match report.line {
            0 => Verdict::Right(report.met),
            line => Verdict::Wrong(format!("{}:{line}: {}", text(&report.file), text(&report.text))),
        })
    }

    /// The names of all checks.
    pub(crate) fn checks(&self) -> Vec<String> {
        let mut names = vec![0; 4096];
        let returned = self.device.control(LIST, &[], &mut names).expect("the probe lists its checks");
        let names = names[..returned.length].split(|byte| *byte == 0);
        names.filter(|name| !name.is_empty()).map(text).collect()
    }
}

/// The text before the first zero.
fn text(bytes: &[u8]) -> String {
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}
