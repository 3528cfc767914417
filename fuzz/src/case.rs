//! The fuzzer's bytes as a request and an answer.

use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use zerocopy::byteorder::little_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// What the bytes begin with. The input follows, then the rows that NetIO has.
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Header {
    control_code: U32,
    input_length: U16,
    output_length: U16,
    netio_status: U32,
}

/// One request, and what NetIO answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The control code.
    pub control_code: u32,
    /// The input, at most 65,535 bytes.
    pub input: Vec<u8>,
    /// The bytes of output that the caller has room for.
    pub output_length: u16,
    /// What every service of NetIO returns.
    pub netio_status: NtStatus,
    /// The table that NetIO returns if that is success. The first row is what it finds.
    pub rows: Vec<Row>,
}

impl Case {
    /// What `bytes` mean, or `None` if they are too few. Input that is missing is zero; what is too little for a row is
    /// ignored.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (header, rest) = Header::read_from_prefix(bytes).ok()?;
        let length = usize::from(header.input_length.get());
        let (input, rows) = rest.split_at(length.min(rest.len()));
        let mut input = input.to_vec();
        input.resize(length, 0);
        Some(Self {
            control_code: header.control_code.get(),
            input,
            output_length: header.output_length.get(),
            netio_status: NtStatus::from_bits(header.netio_status.get()),
            rows: rows.chunks_exact(size_of::<Row>()).filter_map(|row| Row::read_from_bytes(row).ok()).collect(),
        })
    }

    /// The bytes that mean this case, or `None` if the input is too long.
    #[must_use]
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        let header = Header {
            control_code: self.control_code.into(),
            input_length: u16::try_from(self.input.len()).ok()?.into(),
            output_length: self.output_length.into(),
            netio_status: self.netio_status.bits().into(),
        };
        Some([header.as_bytes(), &self.input, self.rows.as_bytes()].concat())
    }
}
