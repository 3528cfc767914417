//! What a driver did wrong.

use std::fmt;

use crate::processor::Irql;

macro_rules! rules {
    ($($(#[$documentation:meta])* $name:ident: $title:literal, $page:literal;)+) => {
        /// A rule that drivers must keep.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Rule {
            $($(#[$documentation])* $name,)+
        }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The rule in words.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }

            /// The page of the documentation that states it, below <https://learn.microsoft.com/windows-hardware/drivers/>.
            #[must_use]
            pub const fn page(self) -> &'static str {
                match self { $(Self::$name => $page,)+ }
            }
        }
    };
}

rules! {
    /// A service was called at too high an IRQL.
    IrqlTooHigh: "services are called at the IRQL that they allow", "kernel/managing-hardware-priorities";
    /// The driver returned at another IRQL than it was called at.
    IrqlChanged: "a driver returns at the IRQL at which it was called", "kernel/managing-hardware-priorities";
    /// The IRQL was raised to a lower one, or lowered to a higher one.
    IrqlDirection: "raising raises and lowering lowers", "ddi/wdm/nf-wdm-kelowerirql";
    /// Pool was left at unload.
    PoolLeak: "all pool is freed before the driver is unloaded", "devtest/pool-tracking";
    /// Pool was freed twice.
    PoolDoubleFree: "pool is freed once", "ddi/wdm/nf-wdm-exfreepoolwithtag";
    /// Something was freed that is no pool.
    PoolInvalidFree: "only pool is freed as pool", "ddi/wdm/nf-wdm-exfreepoolwithtag";
    /// Pool was freed with another tag than it was allocated with.
    PoolWrongTag: "pool is freed with the tag it was allocated with", "ddi/wdm/nf-wdm-exfreepoolwithtag";
    /// The driver wrote behind the end of an allocation.
    PoolOverrun: "nothing is written behind the end of a buffer", "devtest/special-pool";
    /// Pool was asked for in a way that is not allowed.
    PoolParameter: "pool is allocated with a size, a tag and a valid type", "ddi/wdm/nf-wdm-exallocatepool2";
    /// Memory that may be paged out was touched at DISPATCH_LEVEL or above.
    PagedMemory: "memory that may be paged out is touched below DISPATCH_LEVEL", "devtest/force-irql-checking";
    /// A section was locked that can't be paged out, or unlocked that was not locked.
    SectionLock: "sections that may be paged out are unlocked as often as they were locked", "ddi/wdm/nf-wdm-mmunlockpagableimagesection";
    /// An IRP was completed that was completed before.
    IrpCompletedTwice: "an IRP is completed once", "kernel/completing-irps";
    /// Something was completed that is no IRP of this driver.
    IrpUnknown: "only IRPs that the driver has are completed or sent on", "kernel/completing-irps";
    /// A dispatch routine returned something else than STATUS_PENDING and had not completed the IRP.
    IrpNotCompleted: "an IRP that is not pending is completed when the dispatch routine returns", "kernel/completing-irps";
    /// A pending IRP was not completed in time.
    IrpLost: "a pending IRP is completed in the end", "kernel/completing-irps";
    /// An IRP was completed with a status that is no end.
    IrpCompletedPending: "an IRP is not completed with STATUS_PENDING or -1", "ddi/wdm/nf-wdm-iocompleterequest";
    /// STATUS_PENDING was returned without IoMarkIrpPending, or the other way round.
    IrpPendingMismatch: "STATUS_PENDING is returned for an IRP that is marked pending, and only then", "ddi/wdm/nf-wdm-iomarkirppending";
    /// A dispatch routine returned another status than it completed the IRP with.
    IrpStatusMismatch: "a dispatch routine returns the status that it completed the IRP with", "ddi/wdm/nc-wdm-driver_dispatch";
    /// An IRP was completed with its cancel routine still set.
    IrpCancelRoutine: "the cancel routine is cleared before an IRP is completed", "kernel/cancelling-irps";
    /// An IRP was sent on with no stack location left, or made with too little memory.
    IrpStack: "an IRP has a stack location for each driver that it is sent to", "kernel/i-o-stack-locations";
    /// An IRP that a driver had made itself went to its end without coming back to it.
    IrpEnd: "an IRP that a driver has made is kept in the end by a completion routine of that driver", "kernel/creating-irps-for-lower-level-drivers";
    /// An IRP was freed, reused or initialized that was not the driver's to do so.
    IrpFree: "an IRP is freed or reused by who has allocated it, once, and while nobody has it", "ddi/wdm/nf-wdm-iofreeirp";
    /// An IRP was left at unload.
    IrpLeft: "the driver frees its IRPs before it is unloaded, and waits for those that it has had built", "ddi/wdm/nf-wdm-ioallocateirp";
    /// What an IRP writes to went before the IRP had come back.
    IrpBuffer: "the buffers, the event and the status block of an IRP stay until it has come back", "ddi/wdm/nf-wdm-iobuilddeviceiocontrolrequest";
    /// The cancel spin lock was not released by who held it.
    CancelLock: "the cancel spin lock is released by who holds it, a cancel routine above all", "ddi/wdm/nc-wdm-driver_cancel";
    /// A lock that needs a critical region was taken outside of one, or a critical region was not left.
    CriticalRegion: "locks that need it are taken in a critical region, which is left before the driver returns", "ddi/ntddk/nf-ntddk-keentercriticalregion";
    /// A lock was taken by who held it, or released by who did not.
    LockOwner: "a lock is taken by who does not hold it and released by who does", "kernel/introduction-to-push-locks";
    /// The driver returned with a lock held.
    LockKept: "a driver returns without locks", "kernel/introduction-to-push-locks";
    /// Locks were taken in an order in which two threads could wait for each other.
    LockOrder: "locks are always taken in the same order", "devtest/deadlock-detection";
    /// The memory of a lock went while it was held.
    LockFreed: "a lock stays as long as it is held", "devtest/deadlock-detection";
    /// A service was called at too low an IRQL.
    IrqlTooLow: "services that need a raised IRQL get it", "ddi/wdm/nf-wdm-keacquirespinlockatdpclevel";
    /// Something to synchronize with was used before it was initialized.
    NotInitialized: "events, timers, locks and queues are initialized before they are used", "kernel/introduction-to-kernel-dispatcher-objects";
    /// A resource was left when its memory went, deleted while it was held, or initialized again.
    Resource: "a resource is deleted once, before its memory goes and while nobody holds it", "ddi/wdm/nf-wdm-exdeleteresourcelite";
    /// Rundown protection was released too often, or not before its memory went or was used again.
    Rundown: "rundown protection is released as often as it was acquired, and before the object goes", "kernel/run-down-protection";
    /// A semaphore was released beyond its limit.
    SemaphoreLimit: "a semaphore is not released beyond its limit", "ddi/wdm/nf-wdm-kereleasesemaphore";
    /// A timer was set when its memory or its driver went.
    TimerLeft: "a timer is cancelled before its memory and its driver go", "debugger/bug-check-0xc7--timer-or-dpc-invalid";
    /// A DPC was queued when its memory or its driver went.
    DpcLeft: "a DPC has run or is removed before its memory and its driver go", "debugger/bug-check-0xc7--timer-or-dpc-invalid";
    /// The driver waits for something that does not come.
    WaitForever: "what a driver waits for comes", "ddi/wdm/nf-wdm-kewaitforsingleobject";
    /// A work item was queued or freed while it was queued, or is none.
    WorkItemInvalid: "a work item is queued or freed while it is not queued", "ddi/wdm/nf-wdm-ioqueueworkitem";
    /// A work item was left at unload.
    WorkItemLeft: "the driver frees its work items before it is unloaded", "ddi/wdm/nf-wdm-iofreeworkitem";
    /// `Information` says more than the output buffer holds.
    InformationTooLarge: "Information is not more than the output buffer holds", "kernel/buffer-descriptions-for-i-o-control-codes";
    /// Output travels to the caller that the driver never wrote.
    InformationLeak: "every byte of output was written by the driver", "driversecurity/driver-security-checklist";
    /// A device was left at unload.
    DeviceLeft: "the driver deletes its devices before it is unloaded", "ddi/wdm/nf-wdm-iodeletedevice";
    /// A device was deleted that is none of the driver's, or again.
    DeviceInvalid: "a driver deletes its own devices, once", "ddi/wdm/nf-wdm-iodeletedevice";
    /// A symbolic link was left at unload.
    LinkLeft: "the driver deletes its symbolic links before it is unloaded", "ddi/wdm/nf-wdm-iodeletesymboliclink";
    /// A handle was left at unload.
    HandleLeft: "the driver closes its handles before it is unloaded", "ddi/ntifs/nf-ntifs-ntclose";
    /// A handle was used that is none, or of another kind.
    HandleInvalid: "handles are used while they are open", "ddi/ntifs/nf-ntifs-ntclose";
    /// Something was referenced, dereferenced or called that is no object.
    ObjectInvalid: "objects are used while they are there", "kernel/life-cycle-of-an-object";
    /// An object was dereferenced more often than referenced.
    ObjectDereferenced: "an object is dereferenced as often as it was referenced, with the same tag", "ddi/wdm/nf-wdm-obdereferenceobject";
    /// A reference to an object, or a file object that the driver had opened, was left at unload.
    ObjectLeft: "the driver dereferences what it has referenced or opened before it is unloaded", "kernel/life-cycle-of-an-object";
    /// A device was left registered for the system's shutdown.
    ShutdownLeft: "the driver unregisters its devices from the shutdown before it is unloaded", "ddi/wdm/nf-wdm-ioregistershutdownnotification";
    /// A value was read from the registry in a way that lets its type decide how much is written.
    RegistryType: "what is read from the registry directly is checked for its type", "ddi/wdm/nf-wdm-rtlqueryregistryvalues";
    /// A callback was left registered at unload.
    CallbackLeft: "the driver unregisters its callbacks before it is unloaded", "ddi/wdm/nf-wdm-exunregistercallback";
    /// A callback was unregistered that was not registered, or something notified that is no callback object.
    CallbackInvalid: "callbacks are unregistered once, and callback objects are used while they are there", "kernel/callback-objects";
    /// A thread had not ended at unload.
    ThreadLeft: "the driver's threads have ended before it is unloaded", "ddi/wdm/nf-wdm-psterminatesystemthread";
    /// A thread was terminated that the driver had not created, or created with no code.
    ThreadInvalid: "a driver terminates its own threads only", "ddi/wdm/nf-wdm-psterminatesystemthread";
    /// A provider of events was left registered at unload.
    ProviderLeft: "the driver unregisters its providers of events before it is unloaded", "ddi/wdm/nf-wdm-etwunregister";
    /// A provider was used that is not registered, or registered with the handle of one that is.
    ProviderInvalid: "a provider of events is registered and unregistered in turn, and used while it is registered", "ddi/wdm/nf-wdm-etwregister";
    /// An event was written with data that is not there.
    EventData: "the data of an event is there", "ddi/wdm/nf-wdm-etwwritetransfer";
    /// A table of NetIO's was left at unload.
    TableLeak: "every table that NetIO returns is freed", "network/freemibtable";
    /// A table of NetIO's was freed twice, or never was one.
    TableInvalidFree: "a table that NetIO returned is freed once", "network/freemibtable";
    /// NetIO got a pointer that can't be a row.
    RowInvalid: "NetIO gets rows that are there and aligned", "network/mib-anycastipaddress-row";
    /// The driver crashed.
    Crash: "the driver does not crash", "debugger/bug-check-code-reference2";
    /// The driver did not come back.
    TimeLimit: "the driver comes back", "debugger/bug-check-0x133-dpc-watchdog-violation";
}

/// A place in a driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The driver's name.
    pub driver: String,
    /// The offset in its image.
    pub offset: usize,
    /// What stands there, if there is a PDB that tells.
    pub symbol: Option<String>,
}

impl fmt::Display for Frame {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}+{:#x}", self.driver, self.offset)?;
        self.symbol.iter().try_for_each(|symbol| write!(formatter, " {symbol}"))
    }
}

/// A rule that was broken, and everything that tells why.
#[derive(Clone, Debug)]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// The name of the driver, unless it is not known.
    pub driver: Option<String>,
    /// What exactly was wrong.
    pub detail: String,
    /// The service that the driver had called last, if it was in one.
    pub call: Option<&'static str>,
    /// The IRQL.
    pub irql: Irql,
    /// The driver's call stack, the innermost call first.
    pub stack: Vec<Frame>,
    /// What had happened to the IRP, if the driver was working on one.
    pub irp: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "rule broken: {} ({:?})", self.rule.title(), self.rule)?;
        writeln!(formatter, "  {}", self.detail)?;
        self.driver.iter().try_for_each(|driver| writeln!(formatter, "  by {driver}"))?;
        match self.call {
            Some(call) => writeln!(formatter, "  in {call} at {}", self.irql)?,
            None => writeln!(formatter, "  at {}", self.irql)?,
        }
        self.stack.iter().try_for_each(|frame| writeln!(formatter, "    called from {frame}"))?;
        self.irp.iter().try_for_each(|event| writeln!(formatter, "    IRP {event}"))?;
        write!(formatter, "  see https://learn.microsoft.com/windows-hardware/drivers/{}", self.rule.page())
    }
}
