//! The command line.

use std::ffi::OsString;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use netio_anycast_client::{Error, Family, InterfaceName, Selection};

use crate::address;
use crate::console::Stream;
use crate::failure::Failure;
use crate::platform::Platform;

/// What an exit code means, below the help.
const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed for a reason that has no code of its own
  2  the command line, or a file that it names, is wrong
  3  not found: the interface, the address on it, or a file
  4  exists already: the address, or the installed driver
  5  refused: the address is invalid, its family is not supported, or access is denied
  6  no driver: not installed, not running, or being stopped
  7  the driver is of another version than this program, or its reply makes no sense";

/// Anycast addresses on Windows, through the netio-anycast driver.
#[derive(Clone, Debug, Parser)]
#[command(name = "anycastctl", version, after_help = EXIT_CODES, disable_help_subcommand = true, term_width = 100)]
pub struct Arguments {
    /// Print one JSON document on standard output, failures included.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Install the driver from its INF (as an administrator).
    Install {
        /// The INF, with the driver's image beside it. Without it: netio_anycast.inf beside this program.
        #[arg(long, value_name = "PATH")]
        inf: Option<PathBuf>,
    },
    /// Stop and remove the driver (as an administrator).
    Uninstall {
        /// The INF that it was installed from. Without it: netio_anycast.inf beside this program, if it is there.
        #[arg(long, value_name = "PATH")]
        inf: Option<PathBuf>,
    },
    /// Start the driver (as an administrator).
    Start,
    /// Stop the driver and wait until it has stopped (as an administrator).
    Stop,
    /// Show whether the driver is installed, running and reachable.
    Status,
    /// Add an anycast address to an interface. It stays until it is deleted, or the interface or the system goes.
    Add(Target),
    /// Delete an anycast address from an interface.
    Delete {
        /// Which.
        #[command(flatten)]
        target: Target,
        /// Delete it even though other programs hold a lease on it, which then ends.
        #[arg(long)]
        force: bool,
    },
    /// Show one anycast address of an interface.
    Get(Target),
    /// List anycast addresses.
    List(SelectionArguments),
    /// Hold anycast addresses while a program runs, or until Ctrl+C. They go however this ends, killed or not.
    Hold(HoldArguments),
    /// Make interfaces have the anycast addresses that a file lists, and show what that takes.
    Apply(ApplyArguments),
    /// Show changes of the anycast addresses as they come, one a line, until Ctrl+C. With --json each is a document.
    Watch(SelectionArguments),
    /// List the addresses that go when the programs that hold them do, and who these are.
    Leases {
        /// Which.
        #[command(flatten)]
        selection: SelectionArguments,
        /// Only those that this process holds.
        #[arg(short, long, value_name = "ID", value_parser = clap::value_parser!(u32).range(1..))]
        process: Option<u32>,
    },
    /// Look for what keeps anycast addresses from working, and say what to do about it.
    Doctor,
    /// Measure how long requests take, on addresses that are reserved for benchmarks. Nothing of them is left.
    Bench(BenchArguments),
    /// Hold the running driver to its contract: tests with addresses for documentation, of which none is left. Prints TAP.
    Selftest(SelftestArguments),
    /// Show the driver's counters since it was started.
    Stats,
    /// Print what makes a shell complete the command lines of this program.
    Completions {
        /// The shell: for PowerShell, `anycastctl completions powershell | Out-String | Invoke-Expression` in the profile.
        shell: Shell,
    },
    /// Show the versions, features and limits of this program and the driver.
    Version,
}

/// One address on one interface.
#[derive(Clone, Debug, clap::Args)]
pub struct Target {
    /// A unicast IPv4 or IPv6 address.
    #[arg(value_name = "ADDRESS", value_parser = address::parse)]
    pub address: IpAddr,
    /// The interface: its index, its LUID (0x...) or its alias; alias:NAME for an alias that looks like one of the others.
    #[arg(short, long, value_name = "INTERFACE")]
    pub interface: InterfaceName,
}

/// Addresses to hold, and how long.
#[derive(Clone, Debug, clap::Args)]
pub struct HoldArguments {
    /// Unicast IPv4 or IPv6 addresses.
    #[arg(value_name = "ADDRESS", value_parser = address::parse, required = true)]
    pub addresses: Vec<IpAddr>,
    /// The interface: its index, its LUID (0x...) or its alias; alias:NAME for an alias that looks like one of the others.
    #[arg(short, long, value_name = "INTERFACE")]
    pub interface: InterfaceName,
    /// Let other programs hold the same addresses, if they share them too. An address goes with the last of them.
    #[arg(long)]
    pub shared: bool,
    /// Hold the addresses only as long as this command line of cmd.exe ends with exit code 0.
    #[arg(long, value_name = "CMD")]
    pub health: Option<String>,
    /// The time from one run of the health check to the next, and the longest that one may take.
    #[arg(long, value_name = "TIME", requires = "health", default_value = "5s", value_parser = parse_interval)]
    pub interval: Duration,
    /// The runs in a row that have to pass before the addresses are held.
    #[arg(long, value_name = "N", requires = "health", default_value = "2")]
    pub rise: NonZeroU32,
    /// The runs in a row that have to fail before the addresses are withdrawn.
    #[arg(long, value_name = "N", requires = "health", default_value = "3")]
    pub fall: NonZeroU32,
    /// The program that the addresses are for, and its arguments. Its exit code is this program's.
    #[arg(value_name = "COMMAND", last = true)]
    pub command: Vec<OsString>,
}

/// What to measure.
#[derive(Clone, Debug, clap::Args)]
pub struct BenchArguments {
    /// The interface: its index, its LUID (0x...) or its alias. Without it: the loopback interface, or another that the driver
    /// sees.
    #[arg(short, long, value_name = "INTERFACE")]
    pub interface: Option<InterfaceName>,
    /// The requests of each kind, one after the other.
    #[arg(long, value_name = "N", default_value = "1000")]
    pub count: NonZeroU32,
    /// The items of a batch; no more than the driver allows.
    #[arg(long, value_name = "N", default_value = "1000")]
    pub batch: NonZeroU32,
    /// How often that batch is made and undone.
    #[arg(long, value_name = "N", default_value = "10")]
    pub rounds: NonZeroU32,
}

/// Where to test, and where to report.
#[derive(Clone, Debug, clap::Args)]
pub struct SelftestArguments {
    /// The interface: its index, its LUID (0x...) or its alias. Without it: the loopback interface, or another that the driver
    /// sees.
    #[arg(short, long, value_name = "INTERFACE")]
    pub interface: Option<InterfaceName>,
    /// Write a report in JUnit's XML to this file, too.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
}

fn parse_interval(text: &str) -> Result<Duration, String> {
    let interval =
        humantime::parse_duration(text).map_err(|error| format!("{error}; write for example 5s or 500ms"))?;
    if interval.is_zero() { Err("it has to be longer than that".to_owned()) } else { Ok(interval) }
}

/// A file to apply, and how.
#[derive(Clone, Debug, clap::Args)]
pub struct ApplyArguments {
    /// The file, in TOML; in JSON if its name ends in .json.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// All or nothing: the first change that fails undoes those before it.
    #[arg(long)]
    pub atomic: bool,
    /// Only show what it takes.
    #[arg(long)]
    pub dry_run: bool,
    /// Remove what the file does not list, from the interfaces that it names and from no others; addresses on which a program
    /// holds a lease stay.
    #[arg(long)]
    pub prune: bool,
}

/// Some of the addresses.
#[derive(Clone, Debug, clap::Args)]
pub struct SelectionArguments {
    /// Only those of this family.
    #[arg(long, value_name = "FAMILY")]
    pub family: Option<FamilyArgument>,
    /// Only those on this interface: its index, its LUID (0x...) or its alias.
    #[arg(short, long, value_name = "INTERFACE")]
    pub interface: Option<InterfaceName>,
}

impl Command {
    /// Where a command tells what happens while it goes on, its failure included; with --json one document a line. `None` for
    /// commands that tell when they are done.
    pub(crate) const fn stream(&self) -> Option<Stream> {
        match self {
            Self::Watch(_) => Some(Stream::Output),
            // Its standard output is that of the program.
            Self::Hold(_) => Some(Stream::Error),
            _ => None,
        }
    }
}

impl SelectionArguments {
    /// The selection as the client takes it.
    pub(crate) fn resolve(&self, platform: &dyn Platform) -> Result<Selection, Failure> {
        let interface = self.interface.as_ref();
        let interface = interface.map(|interface| interface.resolve(platform.interfaces())).transpose()?;
        Ok(Selection { family: self.family.map(Into::into), interface })
    }

    /// Why they could not be listed, with the interface as it was named on the command line.
    pub(crate) fn failure(&self, error: Error, of: &str) -> Failure {
        match &self.interface {
            Some(interface) => {
                Failure { what: format!("cannot list the {of} of interface {interface}"), ..error.into() }
            }
            None => error.into(),
        }
    }
}

/// An address family as it is written on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum FamilyArgument {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

impl From<FamilyArgument> for Family {
    fn from(argument: FamilyArgument) -> Self {
        match argument {
            FamilyArgument::Ipv4 => Self::Ipv4,
            FamilyArgument::Ipv6 => Self::Ipv6,
        }
    }
}
