//! The end of a sequence: everybody goes, one kind after the other, and what is left is judged.

use std::time::Duration;

use kernel_sim::{Caller, Coverage, DesiredAccess, Handle, Image, Kernel, ProcessId};
use netio_anycast_protocol::lease::{LeaseFilter, LeaseRow};
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::statistics::Statistics;
use netio_anycast_protocol::table::{TableFilter, TableHeader};
use netio_model::Model;
use zerocopy::{FromBytes as _, IntoBytes as _};

use super::execution::Execution;
use super::judgement::{Judgement, State};
use super::sequence::Sequence;
use crate::bench::DEVICE;
use crate::report;

/// More leases than a sequence makes.
const LEASES: usize = 500;
/// The driver tries a withdrawal that was refused again at least every five seconds.
const RETRIES: Duration = Duration::from_secs(11);
/// Who looks on.
const OBSERVER: ProcessId = ProcessId(9000);

/// Runs a sequence to its end, and judges it. What it reaches is noted in `coverage`.
pub(super) fn execute(image: &Image, sequence: &Sequence, coverage: Option<&Coverage>) -> Judgement {
    let execution = Execution::begin(image, sequence, coverage);
    execution.run(sequence);
    end(execution)
}

fn end(execution: Execution<'_>) -> Judgement {
    execution.faults.run_short(0, 0);
    execution.kernel.netio(Model::clear_faults);
    execution.kernel.advance(Duration::ZERO);
    execution.collect();
    let waiting = execution.things().pending.iter().filter(|sent| sent.asked.is_wait()).count();
    // A driver that is told to go lets nobody look on.
    let observer = execution.kernel.open(DEVICE, &Caller::system().of(OBSERVER), DesiredAccess::READ_WRITE).ok();
    let judge = |what: &dyn Fn(&mut Judgement, &State)| {
        if let Some(state) = observer.as_ref().and_then(|observer| observe(&execution, observer)) {
            execution.judge(|judgement| {
                what(judgement, &state);
                // The request that has read the counters is in none of them but the next.
                judgement.count(Some(Operation::QueryStatistics), 1, 1);
            });
        }
    };
    judge(&|judgement, state| judgement.while_open(state, waiting));
    execution.cancel_all();
    judge(&Judgement::counted);
    execution.close_all();
    execution.kernel.advance(RETRIES);
    judge(&Judgement::after_closing);
    drop(observer);
    execution.unload();
    let gone = !execution.is_there() || execution.kernel.has_stopped();
    let proxy_gone = execution.proxy.as_ref().is_none_or(kernel_sim::Driver::unload);
    let (kernel, mut judgement) = execution.into_judgement();
    judgement.require(gone, || "the driver is still there when it was unloaded and nobody has it open".to_owned());
    judgement.require(proxy_gone, || "the driver that has used it is still there".to_owned());
    judge_kernel(&kernel, &mut judgement);
    judgement
}

/// Looks at the driver.
fn observe(execution: &Execution<'_>, observer: &Handle) -> Option<State> {
    let ask = |operation: Operation, input: &[u8], room: usize| {
        observer.control(operation.definition().control_code(), input, room)
    };
    let filter = LeaseFilter { table: TableFilter::ALL, process_id: 0, reserved: 0 };
    let room = size_of::<TableHeader>() + LEASES * size_of::<LeaseRow>();
    let leases = ask(Operation::ListLeases, filter.as_bytes(), room);
    execution.judge(|judgement| judgement.count(Some(Operation::ListLeases), 1, 1));
    let statistics = ask(Operation::QueryStatistics, &[], size_of::<Statistics>());
    let rows = leases.output.get(size_of::<TableHeader>()..)?.chunks_exact(size_of::<LeaseRow>());
    Some(State {
        statistics: Statistics::read_from_bytes(&statistics.output).ok()?,
        leases: rows.filter_map(|row| LeaseRow::read_from_bytes(row).ok()).collect(),
        addresses: execution.kernel.netio(|model| model.entries().collect()),
    })
}

/// What the simulated kernel says of the driver.
fn judge_kernel(kernel: &Kernel, judgement: &mut Judgement) {
    // A crash fails the test that meets it; the control, another driver, crashes on purpose, and is not what the report is about.
    if !kernel.has_stopped() {
        report::note(kernel);
    }
    judgement.wrong.extend(kernel.violations().iter().map(ToString::to_string));
    let links = kernel.links();
    judgement.require(kernel.has_stopped() || links.is_empty(), || format!("links are left: {links:?}"));
}
