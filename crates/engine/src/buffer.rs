//! The buffer of a request.

/// The one buffer of a METHOD_BUFFERED request: input coming in, output going out, in the same bytes.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/buffer-descriptions-for-i-o-control-codes>
pub trait Buffer {
    /// The input. What is written to the output overwrites it.
    fn input(&self) -> &[u8];

    /// The room for output.
    fn output(&mut self) -> &mut [u8];
}

/// A buffer in ordinary memory.
#[derive(Debug)]
pub struct SystemBuffer<'a> {
    /// As long as the longer of the two.
    pub bytes: &'a mut [u8],
    /// The bytes of input.
    pub input_length: usize,
    /// The bytes of output that the caller has room for.
    pub output_length: usize,
}

impl Buffer for SystemBuffer<'_> {
    fn input(&self) -> &[u8] {
        self.bytes.get(..self.input_length).unwrap_or_default()
    }

    /// A length that the buffer does not have promises no room.
    fn output(&mut self) -> &mut [u8] {
        let room = self.output_length.min(self.bytes.len());
        self.bytes.get_mut(..room).unwrap_or_default()
    }
}
