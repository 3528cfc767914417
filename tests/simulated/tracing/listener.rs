//! Somebody who records what the driver tells, and believes none of it.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;

use kernel_sim::{EventDescriptor, Guid, Kernel, Trace, TraceEvent};
use netio_anycast_tests::trace_logging::{self, Event, Pieces};

/// What people are told of the events.
pub(super) const DOCUMENTATION: &str = include_str!("../../../docs/tracing.md");

/// The GUID that every tool of ETW makes of the provider's name.
pub(super) fn provider() -> Guid {
    Guid(tracelogging::Guid::from_name("NetioAnycast").to_bytes_le())
}

/// A session that listens to the driver.
pub(super) struct Listener(Trace);

impl Listener {
    /// It wants everything.
    pub(super) fn new(kernel: &Kernel) -> Self {
        Self::to(kernel, u8::MAX, u64::MAX)
    }

    /// It wants what is at least as grave as that and has one of the keywords.
    pub(super) fn to(kernel: &Kernel, level: u8, keywords: u64) -> Self {
        Self(kernel.trace(provider(), level, keywords))
    }

    /// The events since the last time, each as a line of text. Every one is as the documentation has it.
    pub(super) fn told(&self) -> Vec<String> {
        self.events().iter().map(Event::to_string).collect()
    }

    pub(super) fn events(&self) -> Vec<Event> {
        let written = self.0.take();
        let documented = documented();
        let mapped = mapped_memory();
        let decoded = written.iter().map(|event| {
            let decoded = decode(event).unwrap_or_else(|error| panic!("{error}\n{event:#?}"));
            assert_eq!(documented.get(&decoded.name), Some(&Description::of(event, &decoded)), "{}", decoded.name);
            assert_eq!(pointer_in(&event.data(), &mapped), None, "an address of memory is in {decoded}");
            decoded
        });
        decoded.collect()
    }

    /// The events as they were written.
    pub(super) fn written(&self) -> Vec<TraceEvent> {
        self.0.take()
    }
}

/// Decodes an event of the driver.
pub(super) fn decode(event: &TraceEvent) -> Result<Event, String> {
    let EventDescriptor { channel, level, keyword, .. } = event.descriptor;
    // What every event of TraceLogging lacks, since its description has it, and what the driver has no use for.
    if event.descriptor != (EventDescriptor { channel, level, keyword, ..EventDescriptor::default() }) {
        return Err(format!("the descriptor says more: {:?}", event.descriptor));
    }
    if event.provider != provider() || event.activity.is_some() || event.related.is_some() {
        return Err("it is another provider's, or part of an activity".to_owned());
    }
    let items: Vec<_> = event.items.iter().map(|item| (item.kind.into(), item.bytes.as_slice())).collect();
    let decoded = trace_logging::decode(Pieces::of(channel, &items)?)?;
    if decoded.provider == "NetioAnycast" { Ok(decoded) } else { Err(format!("it is of {}", decoded.provider)) }
}

/// What the documentation says of an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Description {
    level: u8,
    keywords: u64,
    fields: Vec<String>,
}

impl Description {
    fn of(event: &TraceEvent, decoded: &Event) -> Self {
        let fields = decoded.fields.iter().map(|(name, _)| name.clone()).collect();
        Self { level: event.descriptor.level, keywords: event.descriptor.keyword, fields }
    }

    fn read(level: &str, keywords: &str, fields: &str, bits: &BTreeMap<String, u64>) -> Self {
        use tracelogging::Level;
        let level = match level {
            "error" => Level::Error,
            "warning" => Level::Warning,
            "information" => Level::Informational,
            other => panic!("{other} is no level"),
        };
        // What is in parentheses explains the field.
        let (mut depth, mut names) = (0, String::new());
        for character in fields.chars() {
            match character {
                '(' => depth += 1,
                ')' => depth -= 1,
                other if depth == 0 => names.push(other),
                _ => {}
            }
        }
        Self {
            level: level.as_int(),
            keywords: keywords.split(", ").map(|keyword| bits[keyword]).sum(),
            fields: names.split(',').map(|name| name.trim().to_owned()).collect(),
        }
    }
}

/// The events of the documentation.
pub(super) fn documented() -> BTreeMap<String, Description> {
    let bits = rows("## Keywords").map(|row| {
        let bit = row[0].trim_matches('`').trim_start_matches("0x");
        (row[1].to_owned(), u64::from_str_radix(bit, 16).expect("a keyword is a number"))
    });
    let bits = bits.collect();
    rows("## Events").map(|row| (row[0].to_owned(), Description::read(row[1], row[2], row[3], &bits))).collect()
}

/// The rows of the table under a heading of the documentation, without the two lines of its head.
fn rows(heading: &str) -> impl Iterator<Item = Vec<&'static str>> {
    let (_, section) = DOCUMENTATION.split_once(&format!("{heading}\n")).expect("the documentation has the section");
    let lines = section.lines().take_while(|line| !line.starts_with("## ")).filter(|line| line.starts_with('|'));
    lines.skip(2).map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
}

/// The memory of this process, in which all of the simulated kernel's is: the driver's image and stacks, its pool, what
/// programs have sent.
pub(super) fn mapped_memory() -> Vec<Range<u64>> {
    let maps = fs::read_to_string("/proc/self/maps").expect("Linux tells what memory there is");
    let ranges = maps.lines().filter_map(|line| line.split_whitespace().next()?.split_once('-'));
    let number = |text| u64::from_str_radix(text, 16).expect("addresses are written in hexadecimal");
    ranges.map(|(start, end)| number(start)..number(end)).collect()
}

/// An address of memory in what an event brings along, wherever it begins: one in the memory that there is, or one in the upper half,
/// where Windows has its kernel. A LUID and a generation are small enough, and text is of other bytes.
pub(super) fn pointer_in(data: &[u8], mapped: &[Range<u64>]) -> Option<u64> {
    const KERNEL: Range<u64> = 0xFFFF_8000_0000_0000..u64::MAX;
    let numbers = data.windows(8).map(|bytes| u64::from_le_bytes(bytes.try_into().expect("eight bytes")));
    numbers.into_iter().find(|number| KERNEL.contains(number) || mapped.iter().any(|range| range.contains(number)))
}
