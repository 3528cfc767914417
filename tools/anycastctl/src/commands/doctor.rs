//! `doctor`.

mod image;

use netio_anycast_client::protocol::version::{Features, PROTOCOL_VERSION, Version};
use netio_anycast_client::{
    Access, Client, Error, ErrorKind, InterfaceId, LeaseSelection, NetworkInterface, Selection, Transport,
    query_version,
};

use crate::codes::Win32Code;
use crate::commands::doctor::image::on_disk;
use crate::commands::service::driver_image;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::platform::{Platform, ServiceInfo, ServiceState};
use crate::report::driver::DriverReport;
use crate::report::finding::{Finding, Findings};
use crate::service_failure;

/// Looks at everything that has to be right, and says of each thing that is not what to do.
pub(super) fn doctor(platform: &dyn Platform) -> Findings {
    let mut findings = Vec::new();
    let service = platform.service().query();
    findings.push(installed(&service));
    if let Ok(Some(service)) = &service {
        findings.push(image(platform, service));
        findings.push(running(service.state));
        if service.state == ServiceState::Running {
            driver(platform, &mut findings);
        }
    }
    findings.push(verifier(platform));
    findings.extend(interfaces(platform));
    Findings(findings)
}

fn installed(service: &Result<Option<ServiceInfo>, netio_anycast_client::protocol::win32::Win32Error>) -> Finding {
    match service {
        Ok(Some(_)) => Finding::good("Service", "the driver is installed"),
        Ok(None) => Finding::failure("Service", &service_failure::not_installed("")),
        Err(code) => Finding::failure("Service", &service_failure::refused("", *code)),
    }
}

fn image(platform: &dyn Platform, service: &ServiceInfo) -> Finding {
    let path = on_disk(&service.image, &platform.system_folder());
    if platform.is_file(&path) {
        return Finding::good("Image", service.image.clone());
    }
    let found = format!("there is no file {}", path.display());
    Finding::bad("Image", found, "Uninstall the driver, then install it again", ExitCode::NoDriver)
}

fn running(state: ServiceState) -> Finding {
    match state {
        ServiceState::Running => Finding::good("Driver", "it runs"),
        ServiceState::Stopped => {
            Finding::bad("Driver", "it does not run", "Start it with `anycastctl start`", ExitCode::NoDriver)
        }
        ServiceState::Starting => Finding::bad(
            "Driver",
            "it is being started",
            "Look again in a while; if that does not end, read the System event log",
            ExitCode::NoDriver,
        ),
        ServiceState::Stopping => Finding::bad(
            "Driver",
            "it is being stopped, which some program that uses it prevents",
            "End the programs that use it: it stops as soon as they have closed its device",
            ExitCode::NoDriver,
        ),
    }
}

/// What is asked of the driver itself.
fn driver(platform: &dyn Platform, findings: &mut Vec<Finding>) {
    let transport = match platform.open(Access::ReadWrite) {
        Ok(transport) => transport,
        Err(error) => return findings.push(Finding::failure("Access", &error.into())),
    };
    findings.push(Finding::good("Access", "this user may read and change the addresses"));
    let version = match query_version(&transport) {
        Ok(version) => version,
        Err(error) => return findings.push(Finding::failure("Version", &error.into())),
    };
    findings.push(protocol(version));
    if let Ok(client) = Client::connect(transport) {
        findings.push(features(&client));
        if client.offers(Features::LEASES | Features::STATISTICS) {
            findings.push(withdrawals(&client));
        }
    }
}

fn protocol(version: Version) -> Finding {
    let summary = DriverReport::from(version).summary();
    if version.protocol != PROTOCOL_VERSION {
        let found = format!("the driver is {summary}, and this program speaks protocol {PROTOCOL_VERSION}");
        let advice = "Install the driver and this program in the same version";
        return Finding::bad("Version", found, advice, ExitCode::Incompatible);
    }
    let [major, minor, patch, _] = version.driver;
    let program = env!("CARGO_PKG_VERSION");
    if format!("{major}.{minor}.{patch}") == program {
        return Finding::good("Version", summary);
    }
    let found = format!("the driver is {summary}, and this program is {program}: they work together");
    Finding::note("Version", found, "Install the driver and this program in the same version when there is time")
}

/// What the driver lacks that this program has commands for.
fn features<T: Transport>(client: &Client<T>) -> Finding {
    let needs = [
        (Features::LEASES, "`hold` and `leases`"),
        (Features::BATCHES, "`apply`"),
        (Features::CHANGE_WAITS, "`hold` and `watch`"),
        (Features::STATISTICS, "`stats`"),
    ];
    let missing = needs.iter().filter(|(feature, _)| !client.offers(*feature));
    let missing: Vec<String> = missing
        .flat_map(|(feature, commands)| feature.iter_names().map(move |(name, _)| (name, commands)))
        .map(|(name, commands)| format!("{} for {commands}", name.to_lowercase().replace('_', " ")))
        .collect();
    if missing.is_empty() {
        return Finding::good("Features", "the driver has all that this program has commands for");
    }
    let found = format!("the driver lacks {}", missing.join(", "));
    Finding::note("Features", found, "Install the driver in this program's version for these commands")
}

/// Whether NetIO refuses to give back what was leased.
fn withdrawals<T: Transport>(client: &Client<T>) -> Finding {
    let read = || -> Result<_, Error> {
        let retries = client.statistics()?.withdrawal_retries;
        let leases = client.leases(LeaseSelection::default())?.leases;
        Ok((retries, leases.iter().filter(|lease| lease.holders == 0).count(), leases.len()))
    };
    match read() {
        Ok((_, 0, leases)) => Finding::good("Leases", format!("{leases} held, none whose withdrawal is refused")),
        Ok((retries, refused, _)) => {
            let found =
                format!("NetIO refuses to withdraw {refused} whose holders have gone ({retries} retries so far)");
            let advice = "Look at `anycastctl leases`; if they stay, restart the interface or the system";
            Finding::bad("Leases", found, advice, ExitCode::Failure)
        }
        Err(error) => Finding::failure("Leases", &error.into()),
    }
}

/// Whether Driver Verifier is set to watch the driver: neither way is wrong, but one is surprising.
fn verifier(platform: &dyn Platform) -> Finding {
    let image = driver_image();
    match platform.verifier() {
        Ok(Some(verifier)) if verifier.covers(image) => Finding::note(
            "Verifier",
            format!("Driver Verifier is set for {image}, with flags {:#x}", verifier.level),
            "On a machine that is not for tests: `verifier /reset`, then restart; a violation stops the system",
        ),
        Ok(_) => Finding::good(
            "Verifier",
            format!(
                "Driver Verifier is not set for {image}; for tests: `verifier /standard /driver {image}`, then restart"
            ),
        ),
        Err(code) => Finding::note(
            "Verifier",
            format!("its settings can't be read [{}]", Win32Code::from(code)),
            "Ask `verifier /querysettings` as an administrator",
        ),
    }
}

/// The interfaces of the system, each as the driver sees it.
fn interfaces(platform: &dyn Platform) -> Vec<Finding> {
    let interfaces = match platform.interfaces().all() {
        Ok(interfaces) => interfaces,
        Err(error) => return vec![Finding::failure("Interface", &error.into())],
    };
    if interfaces.is_empty() {
        let advice = "Enable a network adapter, and IPv4 or IPv6 on it";
        return vec![Finding::bad("Interface", "the system has none with an IP stack", advice, ExitCode::NotFound)];
    }
    let client = platform.open(Access::Read).and_then(Client::connect).ok();
    interfaces.iter().map(|interface| one_interface(client.as_ref(), interface)).collect()
}

fn one_interface<T: Transport>(client: Option<&Client<T>>, interface: &NetworkInterface) -> Finding {
    let NetworkInterface { luid, index, alias, is_up } = interface;
    let state = if *is_up { "up" } else { "down" };
    let named = format!("\"{alias}\" (index {index}, LUID {luid}) is {state}");
    let selection = Selection { family: None, interface: Some(InterfaceId::Luid(*luid)) };
    match client.map(|client| client.table(selection)) {
        None => Finding::good("Interface", named),
        Some(Ok(table)) => match table.entries.len() {
            0 => Finding::good("Interface", format!("{named}, without anycast addresses")),
            1 => Finding::good("Interface", format!("{named}, with 1 anycast address")),
            count => Finding::good("Interface", format!("{named}, with {count} anycast addresses")),
        },
        Some(Err(error)) if error.kind() == ErrorKind::NotFound => {
            Finding::note("Interface", format!("{named}; NetIO does not know it"), "Enable IPv4 or IPv6 on it")
        }
        Some(Err(error)) => {
            let failure = Failure::from(error);
            let found = format!("{named}; the driver can't list its addresses: {} [{}]", failure.why, failure.codes());
            Finding::note("Interface", found, failure.advice)
        }
    }
}
