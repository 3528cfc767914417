//! When each rule is judged.

use std::fmt;

use crate::violation::Rule;

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

/// Whether a rule is judged when this happens.
pub(crate) fn judges(rule: Rule, occasion: Occasion) -> bool {
    match when(rule) {
        None => false,
        Some(AnyCall) => matches!(occasion, Call(_)),
        Some(At(occasions)) => occasions.contains(&occasion),
    }
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
}
