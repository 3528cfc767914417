//! Where the commands write.

use std::io::{self, Write};

use anstream::adapter::strip_bytes;
use indicatif::{ProgressBar, ProgressDrawTarget};
use serde_json::Value;

use crate::report::Report;

/// Standard output and standard error, or what takes their place. The text has ANSI colours; who is behind it drops them where
/// they don't show.
pub struct Console<'a> {
    stdout: &'a mut dyn Write,
    stderr: &'a mut dyn Write,
    json: bool,
    /// Where progress is shown.
    progress: Option<ProgressDrawTarget>,
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
        Self { stdout, stderr, json: false, progress: None }
    }

    /// The same with a place where progress is shown, if that is a terminal.
    #[must_use]
    pub fn with_progress(self, target: ProgressDrawTarget) -> Self {
        Self { progress: Some(target), ..self }
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
        if self.json {
            return self.write(Stream::Output, &document(&report.json()));
        }
        self.write(Stream::Output, &report.human())?;
        self.write(Stream::Error, &report.errors())
    }

    /// A bar on the terminal for what takes so many steps, if somebody sees it and there is more than one stop on the way.
    pub(crate) fn progress(&mut self, steps: usize, at_a_time: usize) -> ProgressBar {
        let is_long = steps > at_a_time && !self.json;
        let target = self.progress.take_if(|_| is_long).unwrap_or_else(ProgressDrawTarget::hidden);
        ProgressBar::with_draw_target(Some(steps as u64), target)
    }

    /// What happened while a command goes on: text, or a line of JSON.
    pub(crate) fn event(&mut self, stream: Stream, event: &dyn Report) -> io::Result<()> {
        let text = if self.json { format!("{}\n", event.json()) } else { event.human() };
        self.write(stream, &text)
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

/// A stream that shows no colours. What is written at once stays together, so that a program that writes to the same place does
/// not come in between.
pub struct Plain<W>(pub W);

impl<W: Write> Write for Plain<W> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let plain: Vec<u8> = strip_bytes(text).flat_map(<[u8]>::iter).copied().collect();
        self.0.write_all(&plain)?;
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// One JSON document for people to read, too.
pub(crate) fn document(value: &Value) -> String {
    // Only a map whose keys are no text can't be written, and there is none.
    serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string()) + "\n"
}
