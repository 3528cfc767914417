//! The places in an image's code that call its imports.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{Image, ImageError, damaged};
use crate::service;

/// A place in a driver's code that calls an import.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallSite {
    /// The import.
    pub service: String,
    /// The offset of the instruction in the image.
    pub offset: usize,
    /// The offset to which the call returns; `None` where the code jumps to the import, or takes its address to call it
    /// elsewhere.
    pub returns_to: Option<usize>,
}

/// An instruction that refers to another place by its distance.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reference {
    /// `call [place]`, `jmp [place]`, and `mov register, [place]`.
    CallThrough,
    JumpThrough,
    Load,
    /// `call place`, `jmp place`, and `lea register, [place]`.
    Call,
    Jump,
    Address,
}

/// The reference that begins with these bytes, and how many they are before the distance.
/// Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2
const fn reference(first: [u8; 3]) -> Option<(Reference, usize)> {
    match first {
        [0xFF, 0x15, _] => Some((Reference::CallThrough, 2)),
        [0xFF, 0x25, _] => Some((Reference::JumpThrough, 2)),
        [0x48 | 0x4C, 0x8B, registers] if registers & 0xC7 == 0x05 => Some((Reference::Load, 3)),
        [0x48 | 0x4C, 0x8D, registers] if registers & 0xC7 == 0x05 => Some((Reference::Address, 3)),
        [0xE8, ..] => Some((Reference::Call, 1)),
        [0xE9, ..] => Some((Reference::Jump, 1)),
        _ => None,
    }
}

/// A reference: what kind, the instruction's offsets, and the offset that it refers to.
type Found = (Reference, Range<usize>, usize);

/// Every reference in code that begins at `start`. Some are no instructions but happen to look like one; what they refer to
/// tells them apart.
fn references(start: usize, code: &[u8]) -> impl Iterator<Item = Found> {
    code.array_windows().enumerate().filter_map(move |(position, first)| {
        let (kind, length) = reference(*first)?;
        let distance = i32::from_le_bytes(*code.get(position + length..)?.first_chunk()?);
        let end = start + position + length + size_of_val(&distance);
        Some((kind, start + position..end, end.checked_add_signed(distance as isize)?))
    })
}

impl Image {
    /// Where the image's code calls services that may fail though the driver has done nothing wrong.
    ///
    /// Import thunks, jumps that a linker makes for code which does not know that it calls an import, are looked through.
    ///
    /// # Errors
    /// The image is damaged.
    pub fn fallible_call_sites(&self) -> Result<Vec<CallSite>, ImageError> {
        let references = self.code_references()?;
        let mut imports = self.imports()?;
        imports.retain(|(module, name, _)| service::may_fail(module, name));
        let slots: BTreeMap<usize, String> = imports.into_iter().map(|(_, name, slot)| (slot, name)).collect();
        let jumps = references.iter().filter(|(kind, ..)| *kind == Reference::JumpThrough);
        let thunks: BTreeMap<usize, &String> =
            jumps.filter_map(|(_, range, slot)| Some((range.start, slots.get(slot)?))).collect();
        let site = |(kind, range, target): &Found| {
            let service = match kind {
                Reference::CallThrough | Reference::Load => slots.get(target)?,
                Reference::JumpThrough => return None,
                Reference::Call | Reference::Jump | Reference::Address => thunks.get(target)?,
            };
            let returns = matches!(kind, Reference::CallThrough | Reference::Call);
            Some(CallSite { service: service.clone(), offset: range.start, returns_to: returns.then_some(range.end) })
        };
        Ok(references.iter().filter_map(site).collect())
    }

    fn code_references(&self) -> Result<Vec<Found>, ImageError> {
        let view = self.view()?;
        let mut found = Vec::new();
        for section in self.executable_sections()? {
            let code = view.get(section.clone()).ok_or_else(|| damaged("a section lies outside of it"))?;
            found.extend(references(section.start, code));
        }
        Ok(found)
    }
}
