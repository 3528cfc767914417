//! What drivers write by ETW, as the kernel extension records it (`cross/wine/kernel-extension/src/tracing.rs`).

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use netio_anycast_tests::trace_logging::{self, Pieces};

/// The file that stands for a session: drivers that register while it is there write to it.
const SESSION: &str = r"C:\windows\temp\kernel-events.bin";

/// A session that listens. Nobody does any more when it is dropped.
pub(crate) struct Session {
    file: PathBuf,
}

impl Session {
    /// Begins to listen, to drivers that are started from now on.
    pub(crate) fn new() -> Self {
        let file = PathBuf::from(SESSION);
        fs::write(&file, []).expect("the session's file can be made");
        Self { file }
    }

    /// What was written so far.
    pub(crate) fn events(&self) -> Vec<Event> {
        let recorded = fs::read(&self.file).expect("the session's file can be read");
        let mut rest = recorded.as_slice();
        let mut events = Vec::new();
        while !rest.is_empty() {
            let length = Reader(rest).number() as usize;
            let (record, behind) = rest.split_at(length);
            events.push(Event::read(record));
            rest = behind;
        }
        events
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        match fs::remove_file(&self.file) {
            Err(error) if error.kind() != ErrorKind::NotFound => panic!("the session can't be ended: {error}"),
            _ => {}
        }
    }
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// The provider's GUID, in the order of its bytes in memory.
    pub(crate) provider: [u8; 16],
    /// `EVENT_DESCRIPTOR.Id`.
    pub(crate) id: u16,
    /// `EVENT_DESCRIPTOR.Channel`.
    pub(crate) channel: u8,
    /// `EVENT_DESCRIPTOR.Level`.
    pub(crate) level: u8,
    /// `EVENT_DESCRIPTOR.Keyword`.
    pub(crate) keyword: u64,
    /// What comes with it.
    pub(crate) data: Vec<Datum>,
}

/// One `EVENT_DATA_DESCRIPTOR`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Datum {
    /// `EVENT_DATA_DESCRIPTOR_TYPE_*`.
    pub(crate) kind: u32,
    pub(crate) bytes: Vec<u8>,
}

impl Event {
    fn read(record: &[u8]) -> Self {
        let mut reader = Reader(record);
        let _length = reader.number();
        let provider = reader.bytes(16).try_into().expect("so many bytes were taken");
        let descriptor = reader.bytes(16);
        let id = u16::from_le_bytes([descriptor[0], descriptor[1]]);
        let keyword = u64::from_le_bytes(descriptor[8..].try_into().expect("8 bytes are left"));
        let count = reader.number();
        let data = (0..count).map(|_| reader.datum()).collect();
        assert!(reader.0.is_empty(), "the record has {} bytes more", reader.0.len());
        Self { provider, id, channel: descriptor[3], level: descriptor[4], keyword, data }
    }

    /// The event of TraceLogging that it is.
    ///
    /// # Panics
    /// It is none.
    pub(crate) fn decoded(&self) -> trace_logging::Event {
        let items: Vec<_> = self.data.iter().map(|datum| (datum.kind, datum.bytes.as_slice())).collect();
        let decoded = Pieces::of(self.channel, &items).and_then(trace_logging::decode);
        decoded.unwrap_or_else(|error| panic!("{error}\n{self:#?}"))
    }
}

/// Bytes to be read one after the other.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    fn number(&mut self) -> u32 {
        u32::from_le_bytes(self.bytes(4).try_into().expect("so many bytes were taken"))
    }

    fn datum(&mut self) -> Datum {
        let length = self.number() as usize;
        Datum { kind: self.number(), bytes: self.bytes(length).to_vec() }
    }
}
