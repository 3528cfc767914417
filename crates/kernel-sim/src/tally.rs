//! How often each rule was judged, and while the driver did what: a rule that was never judged has shown nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;

use crate::core::lock;
use crate::major::Major;
use crate::violation::Rule;

/// What a driver is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Activity {
    /// DriverEntry, and what is left if it fails.
    Load,
    /// An IRP of this major function, other than a device control.
    Irp(u8),
    /// A device control with this code.
    Control(u32),
    /// An internal device control with this code.
    InternalControl(u32),
    /// A routine that no IRP called: of a work item, for instance.
    Background,
    /// DriverUnload, and what is left after it.
    Unload,
}

impl Activity {
    /// What an IRP asks for; the code is that of device controls.
    pub(crate) fn of(major: Major, code: u32) -> Self {
        match major {
            Major::DEVICE_CONTROL => Self::Control(code),
            Major::INTERNAL_DEVICE_CONTROL => Self::InternalControl(code),
            Major(other) => Self::Irp(other),
        }
    }
}

impl fmt::Display for Activity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Load => formatter.write_str("DriverEntry"),
            Self::Irp(major) => Major(major).fmt(formatter),
            Self::Control(code) => write!(formatter, "control code {code:#010x}"),
            Self::InternalControl(code) => write!(formatter, "internal control code {code:#010x}"),
            Self::Background => formatter.write_str("work items"),
            Self::Unload => formatter.write_str("DriverUnload"),
        }
    }
}

/// Something that happens, at which rules are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Occasion {
    /// The driver calls this service.
    Call(&'static str),
    /// A routine of the driver is called.
    Entered,
    /// A routine of the driver returns.
    Returned,
    /// A dispatch routine returns.
    Dispatched,
    /// A dispatch routine has returned, and its IRP is pending.
    Pended,
    /// A device control is completed.
    ControlCompleted,
    /// The driver goes: it is unloaded, or DriverEntry has failed.
    Gone,
}

/// When a rule is judged: at any call of a service, or at these occasions.
enum When {
    AnyCall,
    At(&'static [Occasion]),
}

use Occasion::{Call, ControlCompleted, Dispatched, Entered, Gone, Pended, Returned};
use When::{AnyCall, At};

const FREE: When = At(&[Call("ExFreePool"), Call("ExFreePoolWithTag")]);
const COMPLETE: When = At(&[Call("IofCompleteRequest")]);
/// Where a lock is taken that others may hold.
const ACQUIRE: &[Occasion] = &[
    Call("ExAcquireFastMutex"),
    Call("ExAcquireFastMutexUnsafe"),
    Call("ExAcquirePushLockExclusiveEx"),
    Call("ExAcquirePushLockSharedEx"),
    Call("ExAcquireResourceExclusiveLite"),
    Call("ExAcquireResourceSharedLite"),
    Call("ExAcquireSharedStarveExclusive"),
    Call("ExAcquireSharedWaitForExclusive"),
    Call("ExEnterCriticalRegionAndAcquireResourceExclusive"),
    Call("ExEnterCriticalRegionAndAcquireResourceShared"),
    Call("KeAcquireGuardedMutex"),
    Call("KeAcquireGuardedMutexUnsafe"),
    Call("KeAcquireInStackQueuedSpinLock"),
    Call("KeAcquireInStackQueuedSpinLockAtDpcLevel"),
    Call("KeAcquireSpinLockAtDpcLevel"),
    Call("KeAcquireSpinLockRaiseToDpc"),
];
/// Where a lock is taken or released.
const LOCK: When = At(&[
    Call("ExAcquireFastMutex"),
    Call("ExAcquireFastMutexUnsafe"),
    Call("ExAcquirePushLockExclusiveEx"),
    Call("ExAcquirePushLockSharedEx"),
    Call("ExAcquireResourceExclusiveLite"),
    Call("ExConvertExclusiveToSharedLite"),
    Call("ExReleaseFastMutex"),
    Call("ExReleaseFastMutexUnsafe"),
    Call("ExReleasePushLockExclusiveEx"),
    Call("ExReleasePushLockSharedEx"),
    Call("ExReleaseResourceAndLeaveCriticalRegion"),
    Call("ExReleaseResourceForThreadLite"),
    Call("ExReleaseResourceLite"),
    Call("KeAcquireGuardedMutex"),
    Call("KeAcquireGuardedMutexUnsafe"),
    Call("KeAcquireInStackQueuedSpinLock"),
    Call("KeAcquireInStackQueuedSpinLockAtDpcLevel"),
    Call("KeAcquireSpinLockAtDpcLevel"),
    Call("KeAcquireSpinLockRaiseToDpc"),
    Call("KeReleaseGuardedMutex"),
    Call("KeReleaseGuardedMutexUnsafe"),
    Call("KeReleaseInStackQueuedSpinLock"),
    Call("KeReleaseInStackQueuedSpinLockFromDpcLevel"),
    Call("KeReleaseMutex"),
    Call("KeReleaseSpinLock"),
    Call("KeReleaseSpinLockFromDpcLevel"),
]);
/// Where memory goes in which something may be in use.
const MEMORY_GOES: &[Occasion] =
    &[Call("ExFreePool"), Call("ExFreePoolWithTag"), Call("IoDeleteDevice"), Returned, Gone];

/// When each rule is judged. Its tests have every rule.
const WHEN: &[(Rule, When)] = &[
    (Rule::IrqlTooHigh, AnyCall),
    (Rule::IrqlChanged, At(&[Returned])),
    (Rule::IrqlDirection, At(&[Call("KfRaiseIrql"), Call("KeLowerIrql")])),
    (Rule::PoolLeak, At(&[Gone])),
    (Rule::PoolDoubleFree, FREE),
    (Rule::PoolInvalidFree, FREE),
    (Rule::PoolWrongTag, FREE),
    (Rule::PoolOverrun, At(&[Call("ExFreePool"), Call("ExFreePoolWithTag"), Call("IofCompleteRequest")])),
    (
        Rule::PoolParameter,
        At(&[Call("ExAllocatePool2"), Call("ExAllocatePoolWithQuotaTag"), Call("ExAllocatePoolWithTag")]),
    ),
    (Rule::PagedMemory, At(&[Entered])),
    (
        Rule::SectionLock,
        At(&[
            Call("MmLockPagableDataSection"),
            Call("MmLockPagableSectionByHandle"),
            Call("MmUnlockPagableImageSection"),
        ]),
    ),
    (Rule::IrpCompletedTwice, COMPLETE),
    (Rule::IrpUnknown, At(&[Call("IoCancelIrp"), Call("IofCallDriver"), Call("IofCompleteRequest")])),
    (Rule::IrpNotCompleted, At(&[Dispatched])),
    (Rule::IrpLost, At(&[Pended])),
    (Rule::IrpCompletedPending, COMPLETE),
    (Rule::IrpPendingMismatch, At(&[Dispatched])),
    (Rule::IrpStatusMismatch, At(&[Dispatched])),
    (Rule::IrpCancelRoutine, COMPLETE),
    (
        Rule::IrpStack,
        At(&[Call("IoAllocateIrp"), Call("IoInitializeIrp"), Call("IoSetCompletionRoutineEx"), Call("IofCallDriver")]),
    ),
    (Rule::IrpEnd, COMPLETE),
    (Rule::IrpFree, At(&[Call("IoFreeIrp"), Call("IoInitializeIrp"), Call("IoReuseIrp"), Call("IofCompleteRequest")])),
    (Rule::IrpLeft, At(&[Gone])),
    (Rule::IrpBuffer, At(MEMORY_GOES)),
    (Rule::CancelLock, At(&[Call("IoAcquireCancelSpinLock"), Call("IoReleaseCancelSpinLock"), Returned])),
    (Rule::CriticalRegion, At(&[Returned])),
    (Rule::LockOwner, LOCK),
    (Rule::LockKept, At(&[Returned])),
    (Rule::LockOrder, At(ACQUIRE)),
    (Rule::LockFreed, At(MEMORY_GOES)),
    (
        Rule::IrqlTooLow,
        At(&[
            Call("ExReleaseFastMutex"),
            Call("KeAcquireInStackQueuedSpinLockAtDpcLevel"),
            Call("KeAcquireSpinLockAtDpcLevel"),
            Call("KeReleaseInStackQueuedSpinLockFromDpcLevel"),
            Call("KeReleaseSpinLockFromDpcLevel"),
            Call("KeTryToAcquireSpinLockAtDpcLevel"),
        ]),
    ),
    (
        Rule::NotInitialized,
        At(&[
            Call("ExAcquireFastMutex"),
            Call("ExAcquireResourceExclusiveLite"),
            Call("ExAcquireResourceSharedLite"),
            Call("ExAcquireRundownProtection"),
            Call("IoCsqInsertIrp"),
            Call("IoCsqInsertIrpEx"),
            Call("IoCsqRemoveNextIrp"),
            Call("KeAcquireSpinLockRaiseToDpc"),
            Call("KeCancelTimer"),
            Call("KeInsertQueueDpc"),
            Call("KeSetEvent"),
            Call("KeSetTimer"),
            Call("KeSetTimerEx"),
            Call("KeWaitForMultipleObjects"),
            Call("KeWaitForSingleObject"),
        ]),
    ),
    (
        Rule::Resource,
        At(&[Call("ExInitializeResourceLite"), Call("ExReinitializeResourceLite"), Call("ExDeleteResourceLite"), Gone]),
    ),
    (
        Rule::Rundown,
        At(&[
            Call("ExInitializeRundownProtection"),
            Call("ExReInitializeRundownProtection"),
            Call("ExReleaseRundownProtection"),
            Call("ExReleaseRundownProtectionEx"),
            Call("ExRundownCompleted"),
            Gone,
        ]),
    ),
    (Rule::SemaphoreLimit, At(&[Call("KeReleaseSemaphore")])),
    (Rule::TimerLeft, At(MEMORY_GOES)),
    (Rule::DpcLeft, At(MEMORY_GOES)),
    (
        Rule::WaitForever,
        At(&[
            Call("ExAcquireFastMutex"),
            Call("ExAcquirePushLockExclusiveEx"),
            Call("ExAcquirePushLockSharedEx"),
            Call("ExAcquireResourceExclusiveLite"),
            Call("ExAcquireResourceSharedLite"),
            Call("ExWaitForRundownProtectionRelease"),
            Call("KeAcquireGuardedMutex"),
            Call("KeAcquireSpinLockRaiseToDpc"),
            Call("KeFlushQueuedDpcs"),
            Call("KeWaitForMultipleObjects"),
            Call("KeWaitForSingleObject"),
        ]),
    ),
    (
        Rule::WorkItemInvalid,
        At(&[
            Call("IoFreeWorkItem"),
            Call("IoInitializeWorkItem"),
            Call("IoQueueWorkItem"),
            Call("IoQueueWorkItemEx"),
            Call("IoUninitializeWorkItem"),
        ]),
    ),
    (Rule::WorkItemLeft, At(MEMORY_GOES)),
    (Rule::InformationTooLarge, At(&[ControlCompleted])),
    (Rule::InformationLeak, At(&[ControlCompleted])),
    (Rule::DeviceLeft, At(&[Gone])),
    (Rule::DeviceInvalid, At(&[Call("IoCreateDevice"), Call("IoDeleteDevice")])),
    (Rule::LinkLeft, At(&[Gone])),
    (Rule::HandleLeft, At(&[Gone])),
    (Rule::HandleInvalid, At(&[Call("ZwClose"), Call("ZwQueryValueKey"), Call("ZwSetSecurityObject")])),
    (
        Rule::ObjectInvalid,
        At(&[
            Call("IoBuildDeviceIoControlRequest"),
            Call("IoGetRelatedDeviceObject"),
            Call("IofCallDriver"),
            Call("ObReferenceObjectByPointer"),
            Call("ObfDereferenceObject"),
            Call("ObfReferenceObject"),
        ]),
    ),
    (
        Rule::ObjectDereferenced,
        At(&[
            Call("ObDereferenceObjectDeferDelete"),
            Call("ObfDereferenceObject"),
            Call("ObfDereferenceObjectWithTag"),
        ]),
    ),
    (Rule::ObjectLeft, At(&[Gone])),
    (Rule::ShutdownLeft, At(&[Gone])),
    (Rule::RegistryType, At(&[Call("RtlQueryRegistryValues")])),
    (Rule::CallbackLeft, At(&[Gone])),
    (Rule::CallbackInvalid, At(&[Call("ExNotifyCallback"), Call("ExRegisterCallback"), Call("ExUnregisterCallback")])),
    (Rule::ThreadLeft, At(&[Gone])),
    (Rule::ThreadInvalid, At(&[Call("PsCreateSystemThread"), Call("PsTerminateSystemThread")])),
    (Rule::ProviderLeft, At(&[Gone])),
    (
        Rule::ProviderInvalid,
        At(&[
            Call("EtwRegister"),
            Call("EtwSetInformation"),
            Call("EtwUnregister"),
            Call("EtwWrite"),
            Call("EtwWriteEx"),
            Call("EtwWriteString"),
            Call("EtwWriteTransfer"),
        ]),
    ),
    (Rule::EventData, At(&[Call("EtwWrite"), Call("EtwWriteEx"), Call("EtwWriteTransfer")])),
    (Rule::TableLeak, At(&[Gone])),
    (Rule::TableInvalidFree, At(&[Call("FreeMibTable")])),
    (
        Rule::RowInvalid,
        At(&[
            Call("CreateAnycastIpAddressEntry"),
            Call("DeleteAnycastIpAddressEntry"),
            Call("GetAnycastIpAddressEntry"),
        ]),
    ),
    (Rule::Crash, At(&[Entered])),
    (Rule::TimeLimit, At(&[Entered])),
];

fn when(rule: Rule) -> Option<&'static When> {
    WHEN.iter().find(|(other, _)| *other == rule).map(|(_, when)| when)
}

impl Rule {
    /// The occasions on which it is judged, in words; empty if they are not counted.
    #[must_use]
    pub fn occasion(self) -> String {
        match when(self) {
            None => String::new(),
            Some(AnyCall) => "any call of a service".to_owned(),
            Some(At(occasions)) => occasions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        }
    }
}

impl fmt::Display for Occasion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Call(service) => service,
            Entered => "a call of the driver",
            Returned => "a return of the driver",
            Dispatched => "a return of a dispatch routine",
            Pended => "an IRP that pends",
            ControlCompleted => "the completion of a device control",
            Gone => "the driver's end",
        })
    }
}

/// A rule during an activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The rule.
    pub rule: Rule,
    /// What the driver did.
    pub activity: Activity,
    /// How often there was an occasion to break the rule.
    pub judged: u64,
    /// How often it was broken.
    pub broken: u64,
}

/// The counts of one kernel.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    counts: Mutex<BTreeMap<Activity, Counts>>,
}

#[derive(Debug, Default)]
struct Counts {
    occasions: BTreeMap<Occasion, u64>,
    broken: BTreeMap<Rule, u64>,
}

impl Tally {
    pub(crate) fn occasion(&self, activity: Activity, occasion: Occasion) {
        *lock(&self.counts).entry(activity).or_default().occasions.entry(occasion).or_default() += 1;
    }

    pub(crate) fn broken(&self, activity: Activity, rule: Rule) {
        *lock(&self.counts).entry(activity).or_default().broken.entry(rule).or_default() += 1;
    }

    /// Every rule during every activity in which it was judged or broken.
    pub(crate) fn judgements(&self) -> Vec<Judgement> {
        let counts = lock(&self.counts);
        let each = counts.iter().flat_map(|(activity, counts)| {
            Rule::ALL.iter().map(|rule| Judgement {
                rule: *rule,
                activity: *activity,
                judged: counts.judged(*rule),
                broken: counts.broken.get(rule).copied().unwrap_or_default(),
            })
        });
        each.filter(|judgement| judgement.judged + judgement.broken > 0).collect()
    }
}

impl Counts {
    fn judged(&self, rule: Rule) -> u64 {
        let judges = |occasion: &Occasion| match when(rule) {
            None => false,
            Some(AnyCall) => matches!(occasion, Call(_)),
            Some(At(occasions)) => occasions.contains(occasion),
        };
        self.occasions.iter().filter(|(occasion, _)| judges(occasion)).map(|(_, times)| times).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::SERVICES;

    #[test]
    fn every_rule_is_judged_on_some_occasion_once_told() {
        for rule in Rule::ALL {
            assert_eq!(WHEN.iter().filter(|(other, _)| other == rule).count(), 1, "{rule:?}");
        }
    }

    #[test]
    fn the_services_at_which_rules_are_judged_exist() {
        for (rule, when) in WHEN {
            let At(occasions) = when else { continue };
            for occasion in *occasions {
                let Call(name) = occasion else { continue };
                assert!(SERVICES.iter().any(|service| service.name == *name), "{rule:?}: {name}");
            }
        }
    }

    #[test]
    fn occasions_count_for_their_rules_and_for_no_others() {
        let tally = Tally::default();
        tally.occasion(Activity::Load, Call("ExFreePool"));
        tally.occasion(Activity::Load, Call("DbgPrint"));
        tally.occasion(Activity::Unload, Gone);
        tally.broken(Activity::Unload, Rule::PoolLeak);
        let of = |activity, rule| {
            let judgements = tally.judgements();
            let found = judgements.iter().find(|it| it.activity == activity && it.rule == rule);
            found.map_or((0, 0), |it| (it.judged, it.broken))
        };
        assert_eq!(of(Activity::Load, Rule::IrqlTooHigh), (2, 0));
        assert_eq!(of(Activity::Load, Rule::PoolDoubleFree), (1, 0));
        assert_eq!(of(Activity::Load, Rule::PoolLeak), (0, 0));
        assert_eq!(of(Activity::Unload, Rule::PoolLeak), (1, 1));
        assert_eq!(of(Activity::Unload, Rule::IrqlTooHigh), (0, 0));
    }
}
