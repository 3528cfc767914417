//! What happens to NetIO and to its interfaces while the driver is at work. What is not possible does not happen.

use netio_anycast_protocol::status::NtStatus;
use netio_model::{Fault, Interface, Model};

use super::choice::Status;
use super::step::Step;

/// What is added to an interface's index when it comes back with another.
const RENUMBERED: u32 = 100;

/// Does to NetIO what a step says, if it says anything of it.
pub(super) fn change(model: &mut Model, step: &Step) {
    match step {
        Step::Interface { net, there: true, renumbered } => {
            let interface = net.interface();
            let index = interface.index + if *renumbered { RENUMBERED } else { 0 };
            let _ = model.add_interface(Interface { index, ..interface });
        }
        Step::Interface { net, there: false, .. } => {
            let _ = model.remove_interface(net.interface().luid);
        }
        Step::NetioFails { function, status: Status(status), after, times } => {
            let fault = Fault::next(function.function(), NtStatus::from_bits(*status));
            model.plan(fault.after(after.0.into()).times(times.0.into()));
        }
        Step::NetioMends => model.clear_faults(),
        Step::Others { place, create } => {
            let row = place.row();
            let _ = if *create { model.insert(&row) } else { model.remove(&row) };
        }
        _ => {}
    }
}
