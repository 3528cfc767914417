//! The scenario that Wine's kernel runs as well, here in the simulated one: `cargo xtask test` compares the transcripts.

use std::cell::Cell;
use std::path::PathBuf;

use kernel_sim::{Caller, DesiredAccess, Handle, Image, Kernel, Options, Pending, ProcessId, Reply};
use model_control::ModelDevice;
use netio_anycast_client::{OsError, Returned, Transport};
use netio_anycast_protocol::SERVICE_NAME;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_tests::partner::{self, Entry};
use netio_anycast_tests::scenario::{self, AccessName, DeviceName, Host, LINE_MARK, Opened, Scenario};
use netio_model::control::{self, Command};

use crate::bench::{DEVICE, image, parameters};
use crate::controls::build;
use crate::report;

/// The simulated kernel, as one process of a scenario reaches it.
struct Simulated {
    kernel: Kernel,
    model: ModelDevice<ModelOf>,
    process: ProcessId,
    /// The process of the next client.
    next: Cell<u32>,
}

impl Simulated {
    fn of(kernel: &Kernel, process: ProcessId) -> Self {
        let model = ModelDevice::new(ModelOf(kernel.clone()));
        Self { kernel: kernel.clone(), model, process, next: Cell::new(process.0 + 1) }
    }
}

/// Another process.
struct Client {
    process: ProcessId,
    /// What it has open, until it is killed.
    _opened: Opened<Simulated>,
}

impl Host for Simulated {
    type Handle = Handle;
    type Pending = Pending;
    type Client = Client;
    type Model = ModelOf;

    fn open(&self, device: DeviceName, below: &str, access: AccessName) -> Result<Handle, NtStatus> {
        let device = match device {
            DeviceName::Anycast => DEVICE.to_owned(),
            DeviceName::Partner => format!(r"\DosDevices\{}", partner::SERVICE),
        };
        let access = match access {
            AccessName::Read => DesiredAccess::READ,
            AccessName::ReadWrite => DesiredAccess::READ_WRITE,
        };
        self.kernel.open(&format!("{device}{below}"), &Caller::administrator().of(self.process), access)
    }

    fn close(&self, handle: Handle, pending: Vec<Pending>) {
        drop(handle);
        drop(pending);
    }

    fn create(&self, name: &str) -> NtStatus {
        let opened = self.open(DeviceName::Anycast, name, AccessName::Read);
        opened.map_or_else(|status| status, |_| NtStatus::SUCCESS)
    }

    fn control(&self, handle: &Handle, code: u32, input: &[u8], output_length: usize) -> scenario::Reply {
        reply(handle.control(code, input, output_length))
    }

    fn begin(&self, handle: &Handle, code: u32, input: &[u8], output_length: usize) -> Pending {
        handle.start(code, input, output_length)
    }

    fn cancel(&self, _: &Handle, pending: &Pending) {
        pending.cancel();
    }

    fn finish(&self, _: &Handle, pending: Pending) -> scenario::Reply {
        reply(pending.wait())
    }

    fn client(&self, scenario: &Scenario, name: &str) -> (Client, Vec<String>) {
        let process = ProcessId(self.next.replace(self.next.get() + 1));
        let (lines, opened) = scenario::run_client(scenario, name, &Self::of(&self.kernel, process));
        (Client { process, _opened: opened }, lines)
    }

    fn kill(&self, client: Client) {
        self.kernel.kill(client.process);
    }

    fn process_id(&self, client: Option<&Client>) -> u32 {
        client.map_or(self.process, |client| client.process).0
    }

    fn model(&self) -> &ModelDevice<ModelOf> {
        &self.model
    }
}

fn reply(Reply { status, information, output }: Reply) -> scenario::Reply {
    scenario::Reply { status, information: Some(information), output }
}

/// The image of the partner, as `cargo xtask` has built it for Wine if `NETIO_ANYCAST_PARTNER` names it; the kit makes the same of its
/// source.
fn partner_image() -> Image {
    let built = || build::driver("tests/wine/drivers/partner/partner.c");
    let path = std::env::var_os("NETIO_ANYCAST_PARTNER").map_or_else(built, PathBuf::from);
    Image::read(&path).expect("the partner's image can be loaded")
}

/// The model below a simulated kernel, which answers as its control device in Wine does.
struct ModelOf(Kernel);

impl Transport for ModelOf {
    fn control(&self, control_code: u32, input: &[u8], output: &mut [u8]) -> Result<Returned, OsError> {
        let refused = || OsError::from_status(NtStatus::INVALID_DEVICE_REQUEST);
        let command = Command::from_control_code(control_code).ok_or_else(refused)?;
        let mut buffer = input.to_vec();
        buffer.resize(input.len().max(output.len()), 0);
        let serve = |model: &mut _| control::serve(model, command, &mut buffer, input.len(), output.len());
        let completion = self.0.netio(serve);
        let more = completion.status == NtStatus::BUFFER_OVERFLOW;
        if completion.status != NtStatus::SUCCESS && !more {
            return Err(OsError::from_status(completion.status));
        }
        output[..completion.information].copy_from_slice(&buffer[..completion.information]);
        Ok(Returned { length: completion.information, more })
    }
}

#[test]
fn the_requests_of_a_killed_process_are_cancelled_in_the_order_in_which_it_sent_them() {
    let kernel = Kernel::new(Options::default()).expect("there is address space for a kernel");
    let driver = kernel.load(&partner_image(), partner::SERVICE).expect("the partner loads");
    let open = |process| {
        let process = Simulated::of(&kernel, process);
        process.open(DeviceName::Partner, "", AccessName::ReadWrite).expect("an administrator may open it")
    };
    let killed = ProcessId(ProcessId::PROGRAM.0 + 1);
    let handles: Vec<Handle> = (0..8).map(|_| open(killed)).collect();
    let pending: Vec<Pending> = handles.iter().map(|handle| handle.start(partner::PEND, &[], 0)).collect();
    kernel.kill(killed);
    let journal =
        open(ProcessId::PROGRAM).control(partner::READ_JOURNAL, &[], partner::JOURNAL_LENGTH * size_of::<Entry>());
    let of = |event| -> Vec<u64> {
        let entries = partner::entries(&journal.output).into_iter();
        entries.filter(|entry| entry.event == event).map(|entry| entry.file).collect()
    };
    assert_eq!(of(partner::CANCELLED), of(partner::PENDED));
    assert_eq!(of(partner::CANCELLED).len(), pending.len());
    drop((pending, handles));
    assert!(driver.unload());
    kernel.assert_clean();
}

#[test]
fn the_scenario_runs_and_no_rule_is_broken() {
    let scenario = Scenario::agreement().expect("the file is a scenario");
    let limits: Vec<(&str, u32)> = scenario.parameters.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let options = Options { registry: parameters(&limits), ..Options::default() };
    let kernel = Kernel::new(options).expect("there is address space for a kernel");
    let partner = kernel.load(&partner_image(), partner::SERVICE).expect("the partner loads");
    let driver = kernel.load(&image(), SERVICE_NAME).expect("the driver loads");
    let transcript = scenario::run(&scenario, &Simulated::of(&kernel, ProcessId::PROGRAM));
    for line in &transcript {
        println!("{LINE_MARK}{line}");
    }
    assert!(transcript.len() > scenario.steps.len(), "every step has at least a line");
    assert!(driver.unload() && partner.unload(), "the scenario leaves no handle open");
    report::judged(&kernel);
    kernel.assert_clean();
}
