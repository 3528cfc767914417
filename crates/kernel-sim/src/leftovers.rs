//! What a driver has left behind when it goes.

use std::sync::Arc;

use crate::core::{Core, Netio, State};
use crate::driver::LoadedDriver;
use crate::objects::ObjectKind;
use crate::occasion::Occasion;
use crate::owner::{DriverNumber, Maker};
use crate::violation::Rule;

/// Something that should have been given back, and who made it.
pub(crate) type Leftover = (Rule, String, Maker);

impl State {
    /// What a driver has made and not given back.
    fn leftovers(&self, driver: DriverNumber) -> Vec<Leftover> {
        let mut left: Vec<Leftover> = Vec::new();
        for device in self.devices.values().filter(|device| device.driver.number() == driver && !device.deleted) {
            let name = device.name.as_deref().unwrap_or("without a name");
            left.push((Rule::DeviceLeft, format!("the device {name}"), device.maker.clone()));
        }
        for (address, pool) in &self.pool {
            let tag = String::from_utf8_lossy(&pool.tag.to_le_bytes()).into_owned();
            let detail = format!("{} bytes with tag {tag} at {address:#x}, allocated from here", pool.block.length());
            left.push((Rule::PoolLeak, detail, pool.maker.clone()));
        }
        for work in self.work_items.values() {
            left.push((Rule::WorkItemLeft, "a work item, allocated from here".to_owned(), work.maker.clone()));
        }
        for (name, link) in &self.links {
            left.push((Rule::LinkLeft, format!("the link {name}, made from here"), link.maker.clone()));
        }
        for notification in &self.shutdown {
            let detail = "a device to be told when the system shuts down, registered from here";
            left.push((Rule::ShutdownLeft, detail.to_owned(), notification.maker.clone()));
        }
        for handle in self.handles.values() {
            left.push((
                Rule::HandleLeft,
                format!("a handle to {}, opened from here", handle.object),
                handle.maker.clone(),
            ));
        }
        left.extend(self.referenced(driver));
        for maker in self.requests.values().filter_map(|request| request.origin.maker()) {
            left.push((Rule::IrpLeft, "an IRP, made from here".to_owned(), maker.clone()));
        }
        left.retain(|(_, _, maker)| maker.driver == driver);
        left
    }

    /// The objects to which a driver refers, and the file objects that it has opened and that are still there, though others may
    /// refer to them on its behalf.
    fn referenced(&self, driver: DriverNumber) -> Vec<Leftover> {
        let own = self.objects.referenced_by(driver).map(|(address, kind, maker)| {
            let detail =
                format!("a reference to the {kind} {address:#x}{}, taken from here", self.name_of_object(address));
            (Rule::ObjectLeft, detail, maker.clone())
        });
        let refers = |address| self.objects.referenced_by(driver).any(|(other, ..)| other == address);
        let opened = self.files.iter().filter(|(address, file)| file.opener.driver == driver && !refers(**address));
        let opened = opened.map(|(address, file)| {
            let name = self.name_of_object(*address);
            let detail = format!("the file object {address:#x}{name} is still referenced; it was opened from here");
            (Rule::ObjectLeft, detail, file.opener.clone())
        });
        own.chain(opened).collect()
    }

    /// The name of the device that an object is or leads to, if it has one.
    fn name_of_object(&self, address: usize) -> String {
        let device = self.files.get(&address).map_or(address, |file| file.device);
        let name = self.devices.get(&device).and_then(|device| device.name.as_ref());
        name.map(|name| format!(" of {name}")).unwrap_or_default()
    }

    /// Takes away what a driver has made. Returns the objects to which nobody refers any more.
    fn forget(&mut self, driver: DriverNumber) -> Vec<(usize, ObjectKind)> {
        let devices: Vec<usize> =
            self.devices.iter().filter(|it| it.1.driver.number() == driver && !it.1.deleted).map(|it| *it.0).collect();
        let mut unused = self.objects.forget(driver);
        for device in devices {
            self.delete_device(device);
            unused.extend(self.objects.release(device).map(|kind| (device, kind)));
        }
        self.requests.retain(|_, request| request.origin.maker().is_none_or(|maker| maker.driver != driver));
        self.shutdown.retain(|notification| notification.maker.driver != driver);
        self.pool.retain(|_, pool| pool.maker.driver != driver);
        self.work_items.retain(|_, work| work.maker.driver != driver);
        self.handles.retain(|_, handle| handle.maker.driver != driver);
        self.links.retain(|_, link| link.maker.driver != driver);
        unused
    }
}

impl Netio {
    /// The tables that a driver has not freed.
    fn leftovers(&self, driver: DriverNumber) -> Vec<Leftover> {
        let tables = self.tables.values().filter(|(_, maker)| maker.driver == driver);
        tables
            .map(|(_, maker)| (Rule::TableLeak, "a table of NetIO's, got from here".to_owned(), maker.clone()))
            .collect()
    }
}

impl Core {
    /// Reports what the driver should have given back.
    pub(crate) fn report_leftovers(&self, driver: &LoadedDriver) {
        self.occasion(Occasion::Gone);
        let mut left = self.state().leftovers(driver.number());
        left.extend(self.netio().leftovers(driver.number()));
        left.extend(self.look(|it| it.callbacks.leftovers(driver.number())));
        left.extend(self.tracing().leftovers(driver.number()));
        for (rule, detail, maker) in left {
            self.report_of(driver, rule, detail, self.named(&maker.stack));
        }
    }

    /// Takes away what the driver has left: it was reported.
    pub(crate) fn forget(self: &Arc<Self>, driver: &Arc<LoadedDriver>) {
        let unused = self.state().forget(driver.number());
        for (address, kind) in unused {
            self.delete_object(address, kind);
        }
        self.change(|it| it.callbacks.registrations.retain(|_, it| it.maker.driver != driver.number()));
        self.tracing().providers.retain(|_, provider| provider.maker.driver != driver.number());
        self.netio().tables.retain(|_, (_, maker)| maker.driver != driver.number());
    }
}
