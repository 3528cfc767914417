//! Reports and failures as people read them. The text has ANSI colours; who prints it drops them where they don't show.

use anstyle::{AnsiColor, Style};
use comfy_table::{Table, presets};
use netio_anycast_client::protocol::SERVICE_NAME;
use netio_anycast_client::protocol::version::PROTOCOL_VERSION;

use crate::failure::Failure;
use crate::platform::ServiceState;
use crate::report::{AddressReport, DriverReport, Report, ServiceChange, ServiceReport, StatusReport};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const ERROR: Style = AnsiColor::Red.on_default().bold();
const LABEL: Style = Style::new().bold();

/// What a command has to tell, in lines that end with a line feed.
pub(crate) fn report(report: &Report) -> String {
    match report {
        Report::Added(address) => format!("Added {} to {}.\n", address.entry.address, interface(address)),
        Report::Deleted { address, interface } => format!("Deleted {address} from interface {interface}.\n"),
        Report::Address(address) => table(std::slice::from_ref(address)),
        Report::Addresses { addresses, .. } if addresses.is_empty() => "No anycast addresses.\n".to_owned(),
        Report::Addresses { addresses, .. } => table(addresses),
        Report::Version(driver, compatible) => version(driver, *compatible),
        Report::Service(report) => service(report),
        Report::Status(report) => status(report),
    }
}

/// What failed, why, with which codes, and what to do.
pub(crate) fn failure(failure: &Failure) -> String {
    let codes = failure.codes();
    let details = [("why:", &failure.why), ("codes:", &codes), ("advice:", &failure.advice)];
    let details = details.iter().filter(|(_, content)| !content.is_empty());
    let details: Vec<String> =
        details.map(|(label, content)| format!("  {LABEL}{label:7}{LABEL:#} {content}\n")).collect();
    format!("{ERROR}error:{ERROR:#} {}\n{}", failure.what, details.concat())
}

fn interface(address: &AddressReport) -> String {
    let numbers = format!("index {}, LUID {}", address.entry.index, address.entry.luid);
    match &address.alias {
        Some(alias) => format!("\"{alias}\" ({numbers})"),
        None => format!("interface {} (LUID {})", address.entry.index, address.entry.luid),
    }
}

fn table(addresses: &[AddressReport]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["ADDRESS", "INTERFACE", "INDEX", "LUID"]);
    for AddressReport { entry, alias } in addresses {
        let alias = alias.as_deref().unwrap_or("-").to_owned();
        table.add_row([entry.address.to_string(), alias, entry.index.to_string(), entry.luid.to_string()]);
    }
    lines(&table)
}

/// The table without the blanks around it.
fn lines(table: &Table) -> String {
    let lines: Vec<String> = table.lines().map(|line| line.trim().to_owned() + "\n").collect();
    lines.concat()
}

/// Labels and values, one pair a line.
fn list(pairs: &[(&str, String)]) -> String {
    let width = pairs.iter().map(|(label, _)| label.len()).max().unwrap_or_default();
    let lines: Vec<String> =
        pairs.iter().map(|(label, value)| format!("{LABEL}{label:width$}{LABEL:#}  {value}\n")).collect();
    lines.concat()
}

fn version(driver: &DriverReport, compatible: bool) -> String {
    let limits = driver.limits.iter().filter(|(_, limit)| *limit != 0);
    let limits: Vec<String> = limits.map(|(name, limit)| format!("{} {limit}", name.replace('_', " "))).collect();
    let compatible = if compatible {
        format!("{GOOD}yes{GOOD:#}")
    } else {
        format!("{BAD}no{BAD:#}: install the driver and this program in the same version")
    };
    list(&[
        ("Program", format!("{}, protocol {PROTOCOL_VERSION}", env!("CARGO_PKG_VERSION"))),
        ("Driver", summary(driver)),
        ("Compatible", compatible),
        ("Features", listing(&driver.features)),
        ("Limits", listing(&limits)),
    ])
}

fn summary(driver: &DriverReport) -> String {
    format!("{}, protocol {}", driver.version, driver.protocol)
}

fn listing(items: &[String]) -> String {
    if items.is_empty() { "none".to_owned() } else { items.join(", ") }
}

fn service(report: &ServiceReport) -> String {
    let image = report.image.as_deref().unwrap_or("an unknown image");
    match report.done {
        ServiceChange::Installed => {
            format!("Installed the driver: {image}\nStart it with `anycastctl start`.\n")
        }
        ServiceChange::Uninstalled if report.package_left => "Uninstalled the driver.\n\
            Its package is still in the driver store, since its INF was not given: `pnputil /enum-drivers` shows it, \
            `pnputil /delete-driver oemNN.inf` removes it.\n"
            .to_owned(),
        ServiceChange::Uninstalled => "Uninstalled the driver.\n".to_owned(),
        ServiceChange::Started => "Started the driver.\n".to_owned(),
        ServiceChange::AlreadyRunning => "The driver was running already.\n".to_owned(),
        ServiceChange::Stopped => "Stopped the driver.\n".to_owned(),
        ServiceChange::AlreadyStopped => "The driver was not running.\n".to_owned(),
    }
}

fn status(report: &StatusReport) -> String {
    let Some(service) = &report.service else {
        return list(&[("Service", format!("{SERVICE_NAME}: {BAD}not installed{BAD:#}"))]);
    };
    let state = match service.state {
        ServiceState::Stopped => format!("{BAD}stopped{BAD:#}"),
        ServiceState::Starting => format!("{BAD}starting{BAD:#}"),
        ServiceState::Running => format!("{GOOD}running{GOOD:#}"),
        ServiceState::Stopping => format!("{BAD}stopping{BAD:#}"),
    };
    let driver = match &report.driver {
        Some(Ok(driver)) if driver.protocol == PROTOCOL_VERSION => summary(driver),
        Some(Ok(driver)) => {
            format!("{} ({BAD}this program speaks protocol {PROTOCOL_VERSION}{BAD:#})", summary(driver))
        }
        Some(Err(failure)) => format!("{BAD}{}: {}{BAD:#} [{}]", failure.what, failure.why, failure.codes()),
        None => "not running".to_owned(),
    };
    list(&[("Service", format!("{SERVICE_NAME}: {state}")), ("Image", service.image.clone()), ("Driver", driver)])
}
