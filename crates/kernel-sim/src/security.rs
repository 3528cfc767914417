//! Security descriptors, and who may open what.
//!
//! Source: MS-DTYP 2.4 and 2.5.3.2, <https://learn.microsoft.com/openspecs/windows_protocols/ms-dtyp/>

use std::fmt::Write as _;

use crate::process::{Context, Mode, ProcessId};

/// `READ_CONTROL | SYNCHRONIZE | FILE_READ_DATA | FILE_READ_EA | FILE_READ_ATTRIBUTES`.
const FILE_GENERIC_READ: u32 = 0x0012_0089;
/// `READ_CONTROL | SYNCHRONIZE | FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_WRITE_EA | FILE_WRITE_ATTRIBUTES`.
const FILE_GENERIC_WRITE: u32 = 0x0012_0116;
/// `FILE_ALL_ACCESS`.
const FILE_ALL_ACCESS: u32 = 0x001F_01FF;
/// `FILE_READ_DATA` and `FILE_WRITE_DATA`.
const FILE_READ_DATA: u32 = 1;
const FILE_WRITE_DATA: u32 = 2;
/// `SE_DACL_PRESENT`, `SE_DACL_PROTECTED`.
const DACL_PRESENT: u16 = 0x4;
const DACL_PROTECTED: u16 = 0x1000;
const ACCESS_ALLOWED_ACE: u8 = 0;
const ACCESS_DENIED_ACE: u8 = 1;

/// What a handle is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DesiredAccess(u32);

impl DesiredAccess {
    /// `GENERIC_READ`.
    pub const READ: Self = Self(FILE_GENERIC_READ);
    /// `GENERIC_WRITE`.
    pub const WRITE: Self = Self(FILE_GENERIC_WRITE);
    /// `GENERIC_READ | GENERIC_WRITE`.
    pub const READ_WRITE: Self = Self(FILE_GENERIC_READ | FILE_GENERIC_WRITE);
    /// `FILE_READ_ATTRIBUTES`: neither data read nor written.
    pub const ATTRIBUTES: Self = Self(0x80);

    /// An `ACCESS_MASK`; generic rights are mapped to those of files.
    pub(crate) const fn from_bits(mask: u32) -> Self {
        const GENERIC: [(u32, u32); 3] =
            [(0x8000_0000, FILE_GENERIC_READ), (0x4000_0000, FILE_GENERIC_WRITE), (0x1000_0000, FILE_ALL_ACCESS)];
        let (mut bits, mut index) = (mask & 0x0FFF_FFFF, 0);
        while index < GENERIC.len() {
            if mask & GENERIC[index].0 != 0 {
                bits |= GENERIC[index].1;
            }
            index += 1;
        }
        Self(bits)
    }

    pub(crate) const fn bits(self) -> u32 {
        self.0
    }

    pub(crate) const fn reads(self) -> bool {
        self.0 & FILE_READ_DATA != 0
    }

    pub(crate) const fn writes(self) -> bool {
        self.0 & FILE_WRITE_DATA != 0
    }
}

/// A security identifier in binary form.
type Sid = Vec<u8>;

/// Who opens a handle: the identifiers in a token, and the process.
#[derive(Clone, Debug)]
pub struct Caller {
    identifiers: Vec<&'static str>,
    context: Context,
}

/// A thread of the process that callers are of who say nothing else.
const PROGRAM: Context = Context { process: ProcessId::PROGRAM, previous_mode: Mode::User };

impl Caller {
    /// The local system.
    #[must_use]
    pub fn system() -> Self {
        Self { identifiers: vec!["SY", "BA", "WD", "AU"], context: PROGRAM }
    }

    /// A member of the Administrators who runs elevated.
    #[must_use]
    pub fn administrator() -> Self {
        Self { identifiers: vec!["BA", "BU", "WD", "AU"], context: PROGRAM }
    }

    /// Anybody else who has logged on.
    #[must_use]
    pub fn user() -> Self {
        Self { identifiers: vec!["BU", "WD", "AU"], context: PROGRAM }
    }

    /// A driver, in a thread of the system's: it may do everything, and what it sends comes from kernel mode.
    #[must_use]
    pub fn driver() -> Self {
        Self { context: Context::SYSTEM, ..Self::system() }
    }

    /// The same in another process.
    #[must_use]
    pub fn of(self, process: ProcessId) -> Self {
        Self { context: Context { process, ..self.context }, ..self }
    }

    pub(crate) const fn context(&self) -> Context {
        self.context
    }
}

/// The two-letter names of SDDL and what they stand for: the authority and its sub-authorities.
/// Source: <https://learn.microsoft.com/windows/win32/secauthz/sid-strings>
const IDENTIFIERS: [(&str, u8, &[u32]); 6] = [
    ("WD", 1, &[0]),
    ("AU", 5, &[11]),
    ("RC", 5, &[12]),
    ("SY", 5, &[18]),
    ("BA", 5, &[32, 544]),
    ("BU", 5, &[32, 545]),
];

fn sid(authority: u8, sub_authorities: &[u32]) -> Sid {
    let count = u8::try_from(sub_authorities.len()).unwrap_or(u8::MAX);
    let mut sid = vec![1, count, 0, 0, 0, 0, 0, authority];
    sid.extend(sub_authorities.iter().flat_map(|number| number.to_le_bytes()));
    sid
}

fn name(sid_bytes: &[u8]) -> Option<&'static str> {
    IDENTIFIERS.iter().find(|(_, authority, rest)| sid(*authority, rest) == sid_bytes).map(|(name, ..)| *name)
}

/// One entry of a DACL.
struct Ace<'a> {
    kind: u8,
    mask: u32,
    sid: &'a [u8],
}

/// The entries of a self-relative descriptor's DACL. `None` if there is no DACL, which lets everybody in; an error if the
/// descriptor is none.
fn dacl(descriptor: &[u8]) -> Result<Option<Vec<Ace<'_>>>, ()> {
    let control = word16(descriptor, 2).ok_or(())?;
    let offset = word32(descriptor, 16).ok_or(())? as usize;
    if control & DACL_PRESENT == 0 || offset == 0 {
        return Ok(None);
    }
    let acl = descriptor.get(offset..).ok_or(())?;
    let count = word16(acl, 4).ok_or(())?;
    let mut rest = acl.get(8..).ok_or(())?;
    let mut entries = Vec::new();
    for _ in 0..count {
        let (kind, size, mask) = (rest.first(), word16(rest, 2), word32(rest, 4));
        let (Some(kind), Some(size), Some(mask)) = (kind, size, mask) else { return Err(()) };
        let sid = rest.get(8..usize::from(size)).ok_or(())?;
        entries.push(Ace { kind: *kind, mask, sid });
        rest = rest.get(usize::from(size)..).ok_or(())?;
    }
    Ok(Some(entries))
}

fn word16(bytes: &[u8], offset: usize) -> Option<u16> {
    bytes.get(offset..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
}

fn word32(bytes: &[u8], offset: usize) -> Option<u32> {
    bytes.get(offset..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

/// Whether it is a self-relative security descriptor that this kernel understands.
pub(crate) fn is_valid(descriptor: &[u8]) -> bool {
    descriptor.first() == Some(&1) && dacl(descriptor).is_ok()
}

/// How long a self-relative descriptor's header and DACL are, from its first bytes: `read` gives the bytes at an offset.
pub(crate) fn length(read: impl Fn(usize, usize) -> Vec<u8>) -> usize {
    const HEADER: usize = 20;
    let dacl = word32(&read(0, HEADER), 16).unwrap_or(0) as usize;
    if dacl == 0 {
        return HEADER;
    }
    HEADER.max(dacl + usize::from(word16(&read(dacl, 8), 2).unwrap_or(0)))
}

/// Whether the descriptor grants all of the access: the entries are taken in order, and what none allows is refused.
pub(crate) fn grants(descriptor: &[u8], caller: &Caller, access: DesiredAccess) -> bool {
    let entries = match dacl(descriptor) {
        Ok(Some(entries)) => entries,
        Ok(None) => return true,
        Err(()) => return false,
    };
    let mut wanted = access.bits();
    for ace in entries {
        if !name(ace.sid).is_some_and(|name| caller.identifiers.contains(&name)) {
            continue;
        }
        match ace.kind {
            ACCESS_ALLOWED_ACE => wanted &= !ace.mask,
            ACCESS_DENIED_ACE if wanted & ace.mask != 0 => return false,
            _ => {}
        }
    }
    wanted == 0
}

/// The DACL in SDDL, as <https://learn.microsoft.com/windows-hardware/drivers/kernel/sddl-for-device-objects> writes it.
pub(crate) fn sddl(descriptor: &[u8]) -> String {
    let Ok(Some(entries)) = dacl(descriptor) else {
        return "no DACL".to_owned();
    };
    let protected = word16(descriptor, 2).is_some_and(|control| control & DACL_PROTECTED != 0);
    let mut text = if protected { "D:P".to_owned() } else { "D:".to_owned() };
    for ace in entries {
        let kind = if ace.kind == ACCESS_ALLOWED_ACE { "A" } else { "D" };
        let rights = match ace.mask {
            FILE_ALL_ACCESS => "GA".to_owned(),
            FILE_GENERIC_READ => "GR".to_owned(),
            FILE_GENERIC_WRITE => "GW".to_owned(),
            mask => format!("{mask:#x}"),
        };
        let who = name(ace.sid).map_or_else(|| format!("{:02x?}", ace.sid), str::to_owned);
        write!(text, "({kind};;{rights};;;{who})").expect("writing to a string succeeds");
    }
    text
}

/// A protected DACL of allowing entries, in binary form. Identifiers are the two letters of SDDL.
///
/// # Panics
/// If an identifier is none of WD, AU, RC, SY, BA, BU.
#[must_use]
pub fn descriptor(allowed: &[(DesiredAccess, &str)]) -> Vec<u8> {
    let mut aces = Vec::new();
    for (access, who) in allowed {
        let (_, authority, rest) = IDENTIFIERS.iter().find(|(name, ..)| name == who).expect("a known identifier");
        let sid = sid(*authority, rest);
        aces.extend([ACCESS_ALLOWED_ACE, 0]);
        aces.extend(u16::try_from(8 + sid.len()).unwrap_or(u16::MAX).to_le_bytes());
        aces.extend(access.bits().to_le_bytes());
        aces.extend(sid);
    }
    let count = u16::try_from(allowed.len()).unwrap_or(u16::MAX);
    let size = u16::try_from(8 + aces.len()).unwrap_or(u16::MAX);
    let mut descriptor = vec![1, 0];
    // SE_SELF_RELATIVE besides.
    descriptor.extend((0x8000 | DACL_PROTECTED | DACL_PRESENT).to_le_bytes());
    descriptor.extend([0; 12]);
    descriptor.extend(20_u32.to_le_bytes());
    descriptor.extend([2, 0]);
    descriptor.extend(size.to_le_bytes());
    descriptor.extend(count.to_le_bytes());
    descriptor.extend([0, 0]);
    descriptor.extend(aces);
    descriptor
}

/// What a device has that its driver gave none: everybody may read, administrators may write too.
///
/// The documentation leaves the default to the kernel; this is `SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_R` of `wdmsec.h`.
pub(crate) fn default_descriptor() -> Vec<u8> {
    descriptor(&[
        (DesiredAccess(FILE_ALL_ACCESS), "SY"),
        (DesiredAccess::READ_WRITE, "BA"),
        (DesiredAccess::READ, "WD"),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_entry_allows_is_refused() {
        let descriptor = descriptor(&[(DesiredAccess::READ, "WD"), (DesiredAccess::READ_WRITE, "BA")]);
        assert!(grants(&descriptor, &Caller::user(), DesiredAccess::READ));
        assert!(!grants(&descriptor, &Caller::user(), DesiredAccess::READ_WRITE));
        assert!(grants(&descriptor, &Caller::administrator(), DesiredAccess::READ_WRITE));
    }

    #[test]
    fn a_descriptor_reads_as_sddl() {
        let descriptor = descriptor(&[(DesiredAccess::READ, "WD"), (DesiredAccess(FILE_ALL_ACCESS), "SY")]);
        assert_eq!(sddl(&descriptor), "D:P(A;;GR;;;WD)(A;;GA;;;SY)");
    }

    #[test]
    fn a_descriptor_that_ends_early_grants_nothing() {
        let mut descriptor = descriptor(&[(DesiredAccess::READ, "WD")]);
        descriptor.truncate(descriptor.len() - 1);
        assert!(!is_valid(&descriptor));
        assert!(!grants(&descriptor, &Caller::system(), DesiredAccess::READ));
    }
}
