//! The scenario that Wine's kernel runs as well, here in the simulated one: `cargo xtask test` compares the transcripts.

use kernel_sim::{Caller, DesiredAccess, Handle, Kernel, Options};
use model_control::ModelDevice;
use netio_anycast_client::{OsError, Returned, Transport};
use netio_anycast_protocol::SERVICE_NAME;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_tests::scenario::{self, AccessName, Host, LINE_MARK, Scenario};
use netio_model::control::{self, Command};

use crate::bench::{DEVICE, image};
use crate::report;

/// The simulated kernel, as a scenario reaches it.
struct Simulated {
    kernel: Kernel,
    model: ModelDevice<ModelOf>,
}

impl Host for Simulated {
    type Handle = Handle;
    type Model = ModelOf;

    fn open(&self, below: &str, access: AccessName) -> Result<Handle, NtStatus> {
        let access = match access {
            AccessName::Read => DesiredAccess::READ,
            AccessName::ReadWrite => DesiredAccess::READ_WRITE,
        };
        self.kernel.open(&format!("{DEVICE}{below}"), &Caller::administrator(), access)
    }

    fn create(&self, name: &str) -> NtStatus {
        self.open(name, AccessName::Read).map_or_else(|status| status, |_| NtStatus::SUCCESS)
    }

    fn control(&self, handle: &Handle, code: u32, input: &[u8], output_length: usize) -> scenario::Reply {
        let reply = handle.control(code, input, output_length);
        scenario::Reply { status: reply.status, information: Some(reply.information), output: reply.output }
    }

    fn model(&self) -> &ModelDevice<ModelOf> {
        &self.model
    }
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
fn the_scenario_runs_and_no_rule_is_broken() {
    let scenario = Scenario::agreement().expect("the file is a scenario");
    let kernel = Kernel::new(Options::default()).expect("there is address space for a kernel");
    let driver = kernel.load(&image(), SERVICE_NAME).expect("the driver loads");
    let host = Simulated { model: ModelDevice::new(ModelOf(kernel.clone())), kernel: kernel.clone() };
    let transcript = scenario::run(&scenario, &host);
    for line in &transcript {
        println!("{LINE_MARK}{line}");
    }
    assert!(transcript.len() > scenario.steps.len(), "every step has at least a line");
    assert!(driver.unload(), "the scenario leaves no handle open");
    report::judged(&kernel);
    kernel.assert_clean();
}
