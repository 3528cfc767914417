//! The driver's call stack, by the unwind information that every x64 image carries.
//!
//! Source: <https://learn.microsoft.com/cpp/build/exception-handling-x64>

use object::LittleEndian as LE;
use object::pe;
use object::read::pe::PeFile64;

use super::{ImageError, MappedImage, damaged};
use crate::crash;

/// More calls than that nest in no sane driver; a damaged stack must end somewhere.
const MAX_DEPTH: usize = 64;
/// `UNW_FLAG_CHAININFO`.
const CHAINED: u8 = 4;
const RBP: usize = 5;

/// `RUNTIME_FUNCTION`: offsets in the image.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RuntimeFunction {
    begin: usize,
    end: usize,
    unwind: usize,
}

impl RuntimeFunction {
    /// Where its code is.
    pub(super) const fn range(&self) -> std::ops::Range<usize> {
        self.begin..self.end
    }
}

/// Where a driver's stack is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StackPointers {
    /// The address that is running, if it is inside the driver; otherwise the return address is on top of the stack.
    pub(crate) instruction: Option<usize>,
    pub(crate) stack: usize,
    /// RBP, the one register that compilers use as a frame pointer.
    pub(crate) frame: usize,
    /// The stack's first byte that is not the driver's any more.
    pub(crate) end: usize,
    /// The call was given up: what there was is in the copy of the stack.
    pub(crate) is_copied: bool,
}

/// The functions of an image that have unwind information, in the order of their offsets.
pub(super) fn runtime_functions(pe: &PeFile64<'_>, view: &[u8]) -> Result<Vec<RuntimeFunction>, ImageError> {
    const ENTRY: usize = 12;
    let Some(directory) = pe.data_directory(pe::IMAGE_DIRECTORY_ENTRY_EXCEPTION) else {
        return Ok(Vec::new());
    };
    let (start, length) = (directory.virtual_address.get(LE) as usize, directory.size.get(LE) as usize);
    let table = start.checked_add(length).and_then(|end| view.get(start..end));
    let table = table.ok_or_else(|| damaged("its table of functions lies outside of it"))?;
    Ok(table.chunks_exact(ENTRY).filter_map(|entry| function(entry, 0)).collect())
}

fn function(view: &[u8], offset: usize) -> Option<RuntimeFunction> {
    Some(RuntimeFunction {
        begin: word32(view, offset)?,
        end: word32(view, offset + 4)?,
        unwind: word32(view, offset + 8)?,
    })
}

fn word16(view: &[u8], offset: usize) -> Option<usize> {
    view.get(offset..)?.first_chunk().map(|bytes| usize::from(u16::from_le_bytes(*bytes)))
}

fn word32(view: &[u8], offset: usize) -> Option<usize> {
    view.get(offset..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes) as usize)
}

/// The calls that lead to `at`, the innermost first: the number of the image in `images`, and the offset there. Code of one
/// image may have been called by another's.
pub(crate) fn call_stack(images: &[&MappedImage], at: StackPointers) -> Vec<(usize, usize)> {
    let mut walk = Walk { view: &[], stack: at.stack, frame: at.frame, end: at.end, is_copied: at.is_copied };
    let mut calls = Vec::new();
    let mut address = at.instruction.or_else(|| walk.pop());
    let image_of =
        |address| images.iter().enumerate().find_map(|(number, image)| Some((number, *image, image.offset(address)?)));
    while let Some((number, image, offset)) = address.and_then(image_of) {
        calls.push((number, offset));
        if calls.len() == MAX_DEPTH {
            break;
        }
        // A return address may be the first byte behind its function, if that ends with a call that does not return.
        let inside = if calls.len() == 1 && at.instruction.is_some() { offset } else { offset.saturating_sub(1) };
        let function = image.functions().iter().find(|function| (function.begin..function.end).contains(&inside));
        walk.view = image.view();
        if let Some(function) = function
            && walk.leave(*function, inside - function.begin).is_none()
        {
            break;
        }
        address = walk.pop();
    }
    calls
}

struct Walk<'a> {
    view: &'a [u8],
    stack: usize,
    frame: usize,
    end: usize,
    is_copied: bool,
}

impl Walk<'_> {
    fn peek(&self, address: usize) -> Option<usize> {
        let inside = address.is_multiple_of(8) && address >= self.stack && address.checked_add(8)? <= self.end;
        if self.is_copied {
            return crash::stack_word(address).filter(|_| inside);
        }
        // SAFETY: between the driver's stack pointer and the frame of the simulator that called the driver, so it is this
        // thread's stack and readable.
        inside.then(|| unsafe { (address as *const usize).read() })
    }

    fn pop(&mut self) -> Option<usize> {
        let value = self.peek(self.stack)?;
        self.stack += 8;
        Some(value)
    }

    /// Undoes what a function did to the stack up to `position` bytes into it.
    fn leave(&mut self, function: RuntimeFunction, position: usize) -> Option<()> {
        let [head, _prolog, count, frame_register] = *self.view.get(function.unwind..)?.first_chunk()?;
        let codes = function.unwind + 4;
        let count = usize::from(count);
        let mut index = 0;
        while index < count {
            let [offset, operation] = *self.view.get(codes + 2 * index..)?.first_chunk()?;
            let (operation, info) = (operation & 0xF, usize::from(operation >> 4));
            let done = usize::from(offset) <= position;
            index += self.undo(operation, info, codes + 2 * index + 2, frame_register, done)?;
        }
        if head >> 3 & CHAINED != 0 {
            let chained = self::function(self.view, codes + 2 * count.next_multiple_of(2))?;
            // The primary function's prolog is behind us wherever we are in the chained part.
            return self.leave(chained, usize::MAX);
        }
        Some(())
    }

    /// Undoes one unwind code, if it was `done`, and tells how many slots it takes.
    fn undo(&mut self, operation: u8, info: usize, operand: usize, frame_register: u8, done: bool) -> Option<usize> {
        let mut grow = |bytes: usize| -> Option<()> {
            if done {
                self.stack = self.stack.checked_add(bytes)?;
            }
            Some(())
        };
        match operation {
            // UWOP_PUSH_NONVOL
            0 => {
                if done {
                    let value = self.pop()?;
                    if info == RBP {
                        self.frame = value;
                    }
                }
                Some(1)
            }
            // UWOP_ALLOC_LARGE
            1 if info == 0 => grow(word16(self.view, operand)? * 8).map(|()| 2),
            1 => grow(word32(self.view, operand)?).map(|()| 3),
            // UWOP_ALLOC_SMALL
            2 => grow(info * 8 + 8).map(|()| 1),
            // UWOP_SET_FPREG
            3 => {
                if done {
                    let (register, offset) = (frame_register & 0xF, usize::from(frame_register >> 4) * 16);
                    self.stack = self.frame.checked_sub(offset).filter(|_| usize::from(register) == RBP)?;
                }
                Some(1)
            }
            // UWOP_SAVE_NONVOL, and UWOP_SAVE_XMM128: the stack pointer stays.
            4 | 8 => Some(2),
            5 | 9 => Some(3),
            _ => None,
        }
    }
}
