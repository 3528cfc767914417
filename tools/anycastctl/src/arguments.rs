//! The command line.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use netio_anycast_client::{Family, InterfaceName};

/// What an exit code means, below the help.
const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed for a reason that has no code of its own
  2  the command line is wrong
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
    Delete(Target),
    /// Show one anycast address of an interface.
    Get(Target),
    /// List anycast addresses.
    List {
        /// Only those of this family.
        #[arg(long, value_name = "FAMILY")]
        family: Option<FamilyArgument>,
        /// Only those on this interface: its index, its LUID (0x...) or its alias.
        #[arg(short, long, value_name = "INTERFACE")]
        interface: Option<InterfaceName>,
    },
    /// Show the versions, features and limits of this program and the driver.
    Version,
}

/// One address on one interface.
#[derive(Clone, Debug, clap::Args)]
pub struct Target {
    /// A unicast IPv4 or IPv6 address.
    #[arg(value_name = "ADDRESS", value_parser = parse_address)]
    pub address: IpAddr,
    /// The interface: its index, its LUID (0x...) or its alias; alias:NAME for an alias that looks like one of the others.
    #[arg(short, long, value_name = "INTERFACE")]
    pub interface: InterfaceName,
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

fn parse_address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| match text.find(['%', '/']).map(|position| text.split_at(position)) {
        Some((address, zone)) if zone.starts_with('%') => {
            format!("an anycast address has no zone: write {address} and name the interface with --interface")
        }
        Some((address, _)) => format!("an anycast address has no prefix length: write {address}"),
        None => "it is neither an IPv4 address (192.0.2.1) nor an IPv6 address (2001:db8::1)".to_owned(),
    })
}
