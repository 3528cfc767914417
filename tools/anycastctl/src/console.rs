//! Where the commands write.

use std::io::{self, Write};

use serde_json::Value;

use crate::report::Report;

/// Standard output and standard error, or what takes their place. The text has ANSI colours; who is behind it drops them where
/// they don't show.
pub struct Console<'a> {
    stdout: &'a mut dyn Write,
    stderr: &'a mut dyn Write,
    json: bool,
}

/// One of the two streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

impl<'a> Console<'a> {
    /// A console of these two.
    pub fn new(stdout: &'a mut dyn Write, stderr: &'a mut dyn Write) -> Self {
        Self { stdout, stderr, json: false }
    }

    /// From now on reports and events are JSON.
    pub(crate) const fn speak_json(&mut self) {
        self.json = true;
    }

    /// Whether reports and events are JSON.
    pub(crate) const fn speaks_json(&self) -> bool {
        self.json
    }

    /// What a command has to tell when it is done: text, or one JSON document.
    ///
    /// # Errors
    /// Nobody reads it any more, here and below.
    pub(crate) fn report(&mut self, report: &dyn Report) -> io::Result<()> {
        let text = if self.json { document(&report.json()) } else { report.human() };
        self.write(Stream::Output, &text)
    }

    /// Text as it is.
    pub(crate) fn write(&mut self, stream: Stream, text: &str) -> io::Result<()> {
        let stream = match stream {
            Stream::Output => &mut self.stdout,
            Stream::Error => &mut self.stderr,
        };
        stream.write_all(text.as_bytes())?;
        stream.flush()
    }
}

/// One JSON document for people to read, too.
pub(crate) fn document(value: &Value) -> String {
    format!("{value:#}\n")
}
