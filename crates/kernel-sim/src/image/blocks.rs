//! The basic blocks of an image's code: runs of instructions that are entered at the first alone.
//!
//! They are found as a processor finds them: from the functions of the image and its entry point on, along every jump, call
//! and address of code that is loaded. So data between functions are not taken for code, and an instruction that no way leads
//! to is no block.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic};
use object::LittleEndian as LE;
use object::pe;

use super::{Image, ImageError, RuntimeFunction, damaged, unwind};

/// The one-byte instruction that stops a program for its debugger.
pub(crate) const BREAKPOINT: u8 = 0xCC;
/// `int 29h`, `__fastfail`: nothing comes after it.
/// Source: <https://learn.microsoft.com/cpp/intrinsics/fastfail>
const FAST_FAIL: u8 = 0x29;

/// The code of an image, as far as a way leads to it.
#[derive(Debug)]
pub(crate) struct Code {
    /// The blocks' first bytes by their offsets in the image, in order.
    pub(crate) blocks: BTreeMap<usize, u8>,
    /// The instructions: offset and length.
    pub(super) instructions: BTreeMap<usize, usize>,
}

/// Follows the code.
struct Walk<'a> {
    view: &'a [u8],
    executable: &'a [Range<usize>],
    functions: &'a [RuntimeFunction],
    starts: BTreeSet<usize>,
    pending: Vec<usize>,
    instructions: BTreeMap<usize, usize>,
    /// Where an address is loaded, and which: it may be a table of jumps.
    loads: Vec<(usize, usize)>,
    /// Jumps to an address in a register.
    indirect: Vec<usize>,
}

impl Walk<'_> {
    /// A way leads to `offset`.
    fn reach(&mut self, offset: usize) {
        if self.executable.iter().any(|range| range.contains(&offset)) && self.starts.insert(offset) {
            self.pending.push(offset);
        }
    }

    fn follow(&mut self) {
        while let Some(start) = self.pending.pop() {
            let code = self.view.get(start..).unwrap_or_default();
            let mut decoder = Decoder::with_ip(64, code, start as u64, DecoderOptions::NONE);
            loop {
                let offset = start + decoder.position();
                let instruction = decoder.decode();
                if instruction.is_invalid() || self.instructions.insert(offset, instruction.len()).is_some() {
                    break;
                }
                if !self.step(offset, &instruction) {
                    break;
                }
            }
        }
    }

    /// Notes where an instruction leads. Returns whether the next may follow it in the same block.
    fn step(&mut self, offset: usize, instruction: &Instruction) -> bool {
        let target = || usize::try_from(instruction.near_branch_target()).unwrap_or(usize::MAX);
        match instruction.flow_control() {
            FlowControl::Next if instruction.mnemonic() == Mnemonic::Lea && instruction.is_ip_rel_memory_operand() => {
                let address = usize::try_from(instruction.ip_rel_memory_address()).unwrap_or(usize::MAX);
                self.loads.push((offset, address));
                // The address of code is a function's, which somebody is going to call.
                self.reach(address);
                true
            }
            FlowControl::Next | FlowControl::IndirectCall => true,
            FlowControl::Call => {
                self.reach(target());
                true
            }
            FlowControl::UnconditionalBranch => {
                self.reach(target());
                false
            }
            FlowControl::ConditionalBranch | FlowControl::XbeginXabortXend => {
                self.reach(target());
                self.reach(offset + instruction.len());
                false
            }
            FlowControl::IndirectBranch => {
                self.indirect.push(offset);
                false
            }
            FlowControl::Interrupt => instruction.mnemonic() == Mnemonic::Int && instruction.immediate8() != FAST_FAIL,
            FlowControl::Return | FlowControl::Exception => false,
        }
    }

    /// Where the indirect jumps lead: LLVM keeps tables of distances, each from the table itself, whose address the function
    /// loads.
    fn reach_through_tables(&mut self) {
        let mut targets = Vec::new();
        for function in self.indirect.iter().map(|jump| self.function_around(*jump)) {
            for (_, table) in self.loads.iter().filter(|(offset, _)| function.contains(offset)) {
                // What stands behind it and is loaded by itself is another table, whose distances are from there.
                let end = self.loads.iter().map(|(_, other)| *other).filter(|other| other > table).min();
                let entries = self.view.get(*table..end.unwrap_or(self.view.len())).unwrap_or_default();
                let entries = entries.chunks_exact(size_of::<i32>());
                let distances = entries.map_while(|entry| Some(i32::from_le_bytes(*entry.first_chunk()?) as isize));
                let places = distances.map_while(|distance| table.checked_add_signed(distance));
                targets.extend(places.take_while(|place| function.contains(place)));
            }
        }
        for target in targets {
            self.reach(target);
        }
    }

    /// The function that an instruction belongs to. One that leaves the stack alone has no entry of its own, and may be
    /// anywhere between two that have.
    fn function_around(&self, offset: usize) -> Range<usize> {
        let ranges = || self.functions.iter().map(RuntimeFunction::range);
        ranges().find(|range| range.contains(&offset)).unwrap_or_else(|| {
            let start = ranges().map(|range| range.end).filter(|end| *end <= offset).max();
            let end = ranges().map(|range| range.start).filter(|start| *start > offset).min();
            start.unwrap_or(0)..end.unwrap_or(self.view.len())
        })
    }
}

impl Image {
    /// Finds the basic blocks.
    ///
    /// # Errors
    /// The image is damaged.
    pub(crate) fn code(&self) -> Result<Code, ImageError> {
        let view = self.view()?;
        let pe = self.pe()?;
        let executable = self.executable_sections()?;
        let functions = unwind::runtime_functions(&pe, &view)?;
        let mut walk = Walk {
            view: &view,
            executable: &executable,
            functions: &functions,
            starts: BTreeSet::new(),
            pending: Vec::new(),
            instructions: BTreeMap::new(),
            loads: Vec::new(),
            indirect: Vec::new(),
        };
        walk.reach(pe.nt_headers().optional_header.address_of_entry_point.get(LE) as usize);
        for function in &functions {
            walk.reach(function.range().start);
        }
        while !walk.pending.is_empty() {
            walk.follow();
            walk.reach_through_tables();
        }
        let Walk { starts, instructions, .. } = walk;
        // An offset inside another instruction is none that a compiler made, and may not be written to.
        let apart = |offset: &usize| {
            let before = instructions.range(..offset).next_back();
            before.is_none_or(|(begin, length)| begin + length <= *offset)
        };
        let first = |offset: usize| Some((offset, *view.get(offset)?));
        let blocks = starts.into_iter().filter(apart).filter_map(first);
        // What already is a breakpoint is the driver's own.
        let blocks = blocks.filter(|(_, byte)| *byte != BREAKPOINT).collect();
        Ok(Code { blocks, instructions })
    }

    pub(super) fn executable_sections(&self) -> Result<Vec<Range<usize>>, ImageError> {
        let pe = self.pe()?;
        let code = pe
            .section_table()
            .iter()
            .filter(|section| section.characteristics.get(LE).0 & pe::IMAGE_SCN_MEM_EXECUTE.0 != 0);
        Ok(code
            .map(|section| {
                let start = section.virtual_address.get(LE) as usize;
                start..start + section.virtual_size.get(LE) as usize
            })
            .collect())
    }

    /// The instructions in functions with unwind information that `code` found no way to, by their offsets: with
    /// any, coverage of the image does not tell the whole.
    ///
    /// # Errors
    /// The image is damaged.
    pub fn unreached_instructions(&self) -> Result<Vec<usize>, ImageError> {
        let view = self.view()?;
        let code = self.code()?;
        let mut unreached = Vec::new();
        for function in unwind::runtime_functions(&self.pe()?, &view)? {
            let range = function.range();
            let bytes = view.get(range.clone()).ok_or_else(|| damaged("a function lies outside of it"))?;
            let mut decoder = Decoder::with_ip(64, bytes, range.start as u64, DecoderOptions::NONE);
            while decoder.can_decode() {
                let offset = range.start + decoder.position();
                let instruction = decoder.decode();
                // What aligns the next instruction.
                let fills = matches!(instruction.mnemonic(), Mnemonic::Nop | Mnemonic::Int3);
                if !fills && !code.instructions.contains_key(&offset) {
                    unreached.push(offset);
                }
            }
        }
        Ok(unreached)
    }

    /// The blocks in functions with unwind information that begin inside an instruction: a breakpoint there would make
    /// another instruction of it. There are none, as far as functions hold nothing but instructions.
    ///
    /// # Errors
    /// The image is damaged.
    pub fn blocks_inside_instructions(&self) -> Result<Vec<usize>, ImageError> {
        let view = self.view()?;
        let code = self.code()?;
        let mut inside = Vec::new();
        for function in unwind::runtime_functions(&self.pe()?, &view)? {
            let range = function.range();
            let bytes = view.get(range.clone()).ok_or_else(|| damaged("a function lies outside of it"))?;
            let decoder = Decoder::with_ip(64, bytes, range.start as u64, DecoderOptions::NONE);
            let begins: BTreeSet<u64> = decoder.into_iter().map(|instruction| instruction.ip()).collect();
            inside
                .extend(code.blocks.range(range).map(|(start, _)| *start).filter(|it| !begins.contains(&(*it as u64))));
        }
        Ok(inside)
    }
}
