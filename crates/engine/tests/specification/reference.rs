//! Any sequence of requests, compared with the simplest thing that could be right: sets and maps.

mod model;
mod step;

use model::{Change, Reference};
use netio_anycast_protocol::address::AddressFamily;
use netio_anycast_protocol::apply::{ApplyAction, ApplyItem};
use netio_anycast_protocol::create::Lifetime;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::TableFilter;
use netio_model::{Fault, Function};
use proptest::prelude::*;
use step::{Item, Name, Step, row};

use crate::batch::apply;
use crate::system::{PROCESS, SECOND, System, interface};

/// The driver with three handles, and the reference.
struct Compared {
    system: System,
    handles: Vec<System>,
    reference: Reference,
}

impl Compared {
    fn new() -> Self {
        let system = System::new();
        let handles = (0..3).map(|_| system.another(PROCESS)).collect();
        Self { system, handles, reference: Reference::new() }
    }

    fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Change(handle, Item { address, name, change }) => {
                let (driver, row) = (&self.handles[*handle], row(*address, *name));
                let result = match change {
                    Change::Create => driver.create(row).map(drop),
                    Change::Lease => driver.lease(row).map(drop),
                    Change::Share => driver.share(row).map(drop),
                    Change::Delete => succeeded(driver.delete(row)),
                    Change::Force => succeeded(driver.force(row)),
                };
                prop_assert_eq!(result, self.reference.change(*handle, *address, *name, *change));
            }
            Step::Apply(handle, atomic, items) => {
                let outcomes = apply(&self.handles[*handle], *atomic, &items.iter().map(item).collect::<Vec<_>>());
                let outcomes: Vec<_> = outcomes.iter().map(|outcome| (outcome.state, outcome.status)).collect();
                let expected = self.reference.apply(*handle, *atomic, items);
                let expected: Vec<_> = expected.iter().map(|(state, status)| (*state as u8, *status)).collect();
                prop_assert_eq!(outcomes, expected);
            }
            Step::Get(address, name) => {
                prop_assert_eq!(self.system.get(row(*address, *name)), self.reference.get(*address, *name));
            }
            Step::List(family, name) => {
                prop_assert_eq!(self.system.list(step::filter(*family, *name)), self.reference.list(*family, *name));
            }
            Step::Close(handle, refused) => self.close(*handle, *refused),
            Step::Retry => {
                self.system.driver().advance(5_000);
                self.reference.retry();
            }
            Step::RemoveSecond => {
                if self.reference.remove_second() {
                    self.system.model().remove_interface(SECOND).expect("it is there");
                }
            }
            Step::AddSecond(index) => {
                if self.reference.add_second(*index) {
                    self.system.model().add_interface(interface(SECOND, *index)).expect("it is gone");
                }
            }
        }
        Ok(())
    }

    /// Closes a handle, while NetIO refuses every deletion or not, and opens another in its place.
    fn close(&mut self, handle: usize, refused: bool) {
        if refused {
            let refusal = Fault::next(Function::Delete, NtStatus::UNSUCCESSFUL).times(u32::MAX);
            self.system.model().plan(refusal);
        }
        self.handles[handle] = self.system.another(PROCESS);
        self.system.model().clear_faults();
        self.reference.close(handle, refused);
    }

    fn check(&self) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.system.entries(), self.reference.rows());
        let leases: Vec<_> = self.system.leases().iter().map(|lease| (lease.row, lease.holders, lease.flags)).collect();
        prop_assert_eq!(leases, self.reference.lease_rows());
        let statistics = self.system.statistics();
        prop_assert_eq!(statistics.generation, self.reference.generation);
        Ok(())
    }
}

fn succeeded(status: NtStatus) -> Result<(), NtStatus> {
    if status == NtStatus::SUCCESS { Ok(()) } else { Err(status) }
}

fn item(item: &Item) -> ApplyItem {
    let (action, lifetime, flags) = match item.change {
        Change::Create => (ApplyAction::Create, Lifetime::Unowned, 0),
        Change::Lease => (ApplyAction::Create, Lifetime::Handle, 0),
        Change::Share => (ApplyAction::Create, Lifetime::Handle, 1),
        Change::Delete => (ApplyAction::Delete, Lifetime::Unowned, 0),
        Change::Force => (ApplyAction::Delete, Lifetime::Unowned, 1),
    };
    let row: Row = row(item.address, item.name);
    ApplyItem { row, action: action as u32, lifetime: lifetime as u32, flags, reserved: 0 }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_sequence_of_requests_does_to_the_system_what_it_does_to_a_set(
        steps in prop::collection::vec(step::step(), 1..40),
    ) {
        let mut compared = Compared::new();
        for step in &steps {
            compared.take(step)?;
            compared.check()?;
        }
        let everything = compared.reference.list(AddressFamily::UNSPECIFIED, None::<Name>);
        prop_assert_eq!(compared.system.list(TableFilter::ALL), everything);
        // Whoever goes leaves what is no lease.
        for handle in 0..compared.handles.len() {
            compared.close(handle, false);
        }
        compared.take(&Step::Retry)?;
        prop_assert_eq!(compared.system.leases().len(), 0);
        compared.check()?;
    }
}
