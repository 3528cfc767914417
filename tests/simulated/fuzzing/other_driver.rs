//! Another driver that uses this one by direct calls and IRPs of its own: `kernel_clients/proxy.c`, told what to do.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use kernel_sim::{Irql, Kernel, Reply};
use netio_anycast_protocol::create::CreateRequest;
use netio_anycast_protocol::interface::{InterfaceRequest, QUERY_INTERFACE};
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::status::NtStatus;

use super::judgement::{Asked, Judgement};
use super::step::{Access, ClientStep, Opener};
use crate::kernel_clients::proxy::{Arguments, Function, Proxy, Send, Way};

/// The calls of GET_TABLE that one direct call may make, the table growing meanwhile.
const MOST_TABLE_CALLS: u64 = 16;

/// Shows the judgement to a function, while nobody calls the kernel.
type Judge<'a> = &'a dyn Fn(&mut dyn FnMut(&mut Judgement));

/// The driver, with the device open.
pub(super) struct OtherDriver {
    proxy: Proxy,
    /// It asks for the direct-call interface, or has it.
    asks: AtomicBool,
    /// The references to the interface that it has had, and those that it has given back. Its functions are there once it was given,
    /// and for as long as this has the device open.
    referenced: AtomicU32,
    dereferenced: AtomicU32,
}

/// Whether a request gives whoever sends it the direct-call interface.
pub(super) fn gives_interface(code: u32, internal: bool, input: &[u8], room: usize) -> bool {
    code == QUERY_INTERFACE && internal && InterfaceRequest::check(input, room).is_ok()
}

impl OtherDriver {
    pub(super) fn open(kernel: &Kernel) -> Result<Self, NtStatus> {
        Ok(Self {
            proxy: Proxy::open(kernel)?,
            asks: AtomicBool::new(false),
            referenced: AtomicU32::new(0),
            dereferenced: AtomicU32::new(0),
        })
    }

    /// Does what a step says. `judge` hears what it comes to.
    pub(super) fn step(&self, step: &ClientStep, judge: Judge<'_>) {
        let has_interface = self.referenced.load(Ordering::Relaxed) > 0;
        match step {
            // The proxy has room for one interface only, and another thread may be asking for it.
            ClientStep::Query(wanted) if !self.asks.swap(true, Ordering::Relaxed) => {
                let given = self.proxy.query_with(wanted.request()).is_ok();
                self.referenced.store(given.into(), Ordering::Relaxed);
                self.asks.store(given, Ordering::Relaxed);
            }
            ClientStep::Create { level, creation } if has_interface => {
                let CreateRequest { row, lifetime, flags } = creation.request();
                judge(&mut |judgement| judgement.may_create(&row, lifetime));
                let _ = self.proxy.call(level.irql(), Function::Create, Arguments { row, lifetime, flags }, 1);
                judge(&mut |judgement| judgement.count(Some(Operation::Create), 0, 1));
            }
            ClientStep::Delete { level, row, flags } if has_interface => {
                let _ = self.proxy.call(
                    level.irql(),
                    Function::Delete,
                    Arguments { row: row.row(), lifetime: 0, flags: flags.0 },
                    0,
                );
                judge(&mut |judgement| judgement.count(Some(Operation::Delete), 0, 1));
            }
            ClientStep::Get { level, row } if has_interface => {
                let _ = self.proxy.call(
                    level.irql(),
                    Function::Get,
                    Arguments { row: row.row(), lifetime: 0, flags: 0 },
                    1,
                );
                judge(&mut |judgement| judgement.count(Some(Operation::Get), 0, 1));
            }
            ClientStep::Table { level } if has_interface => {
                let _ = self.proxy.table(level.irql(), 4);
                judge(&mut |judgement| judgement.count(Some(Operation::GetTable), 0, MOST_TABLE_CALLS));
            }
            ClientStep::Reference { level } if has_interface => {
                self.referenced.fetch_add(1, Ordering::Relaxed);
                let _ = self.proxy.reference(level.irql());
            }
            ClientStep::Dereference { level } if has_interface => {
                self.dereferenced.fetch_add(1, Ordering::Relaxed);
                let _ = self.proxy.dereference(level.irql());
            }
            ClientStep::Send { .. } => self.send(step, judge),
            _ => {}
        }
    }

    fn send(&self, step: &ClientStep, judge: Judge<'_>) {
        let ClientStep::Send { request, level, internal, cancel, without_file } = step else { return };
        let mut generation = 0;
        judge(&mut |judgement| generation = judgement.generation);
        let (code, input, room) = (request.code(), request.input(generation), request.room());
        if gives_interface(code, *internal, &input, room) {
            return;
        }
        let asked = Asked {
            code,
            input,
            room,
            opener: Opener::Driver,
            access: Access::ReadWrite,
            level: *level,
            internal: *internal,
        };
        judge(&mut |judgement| judgement.asked(&asked));
        let send = Send {
            way: if *internal { Way::Internal } else { Way::DeviceControl },
            irql: level.irql(),
            code,
            input: &asked.input,
            output_length: room,
            // It waits for the end.
            cancel: *cancel || asked.is_wait(),
            without_file: *without_file,
            user_mode: false,
        };
        if let Ok(answer) = self.proxy.send(&send) {
            let reply = Reply { status: answer.status, information: answer.output.len(), output: answer.output };
            judge(&mut |judgement| judgement.answered(&asked, &reply));
        }
    }
}

/// Gives every reference back but the one that the proxy gives back when it is closed.
impl Drop for OtherDriver {
    fn drop(&mut self) {
        let (referenced, dereferenced) = (*self.referenced.get_mut(), *self.dereferenced.get_mut());
        for _ in dereferenced + 1..referenced {
            let _ = self.proxy.dereference(Irql::PASSIVE_LEVEL);
        }
    }
}
