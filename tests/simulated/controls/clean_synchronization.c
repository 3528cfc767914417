/* Keeps every rule: uses every kind of lock, of object to wait for, and of time, one after the other. */
#include "control.h"

static KSPIN_LOCK spin_lock;
static FAST_MUTEX fast_mutex;
static KGUARDED_MUTEX guarded_mutex;
static ERESOURCE resource;
static EX_RUNDOWN_REF rundown;
static KMUTEX mutex;
static KSEMAPHORE semaphore;
static KEVENT event;
static volatile LONG count;

static BOOLEAN spin_locks(void) {
  KIRQL irql;
  KLOCK_QUEUE_HANDLE queue;
  KeAcquireSpinLock(&spin_lock, &irql);
  BOOLEAN right = !KeTestSpinLock(&spin_lock) && !KeTryToAcquireSpinLockAtDpcLevel(&spin_lock);
  KeReleaseSpinLockFromDpcLevel(&spin_lock);
  if (KeTryToAcquireSpinLockAtDpcLevel(&spin_lock)) {
    KeReleaseSpinLockFromDpcLevel(&spin_lock);
  }
  KeAcquireInStackQueuedSpinLockAtDpcLevel(&spin_lock, &queue);
  KeReleaseInStackQueuedSpinLockFromDpcLevel(&queue);
  KeAcquireSpinLockAtDpcLevel(&spin_lock);
  KeReleaseSpinLock(&spin_lock, irql);
  KeAcquireInStackQueuedSpinLock(&spin_lock, &queue);
  right = right && KeGetCurrentIrql() == DISPATCH_LEVEL;
  KeReleaseInStackQueuedSpinLock(&queue);
  return right && KeGetCurrentIrql() == PASSIVE_LEVEL;
}

static BOOLEAN mutexes(void) {
  ExAcquireFastMutex(&fast_mutex);
  BOOLEAN right = KeGetCurrentIrql() == APC_LEVEL && KeAreApcsDisabled();
  LONG before = count;
  count = before + 1;
  ExReleaseFastMutex(&fast_mutex);
  if (ExTryToAcquireFastMutex(&fast_mutex)) {
    ExReleaseFastMutex(&fast_mutex);
  }
  KeEnterCriticalRegion();
  ExAcquireFastMutexUnsafe(&fast_mutex);
  ExReleaseFastMutexUnsafe(&fast_mutex);
  KeLeaveCriticalRegion();
  KeAcquireGuardedMutex(&guarded_mutex);
  right = right && KeAreAllApcsDisabled() && KeGetCurrentIrql() == PASSIVE_LEVEL;
  KeReleaseGuardedMutex(&guarded_mutex);
  if (KeTryToAcquireGuardedMutex(&guarded_mutex)) {
    KeReleaseGuardedMutex(&guarded_mutex);
  }
  KeEnterGuardedRegion();
  KeAcquireGuardedMutexUnsafe(&guarded_mutex);
  KeReleaseGuardedMutexUnsafe(&guarded_mutex);
  KeLeaveGuardedRegion();
  KeWaitForMutexObject(&mutex, Executive, KernelMode, FALSE, NULL);
  KeWaitForSingleObject(&mutex, Executive, KernelMode, FALSE, NULL);
  right = right && KeReadStateMutex(&mutex) == -1;
  KeReleaseMutex(&mutex, FALSE);
  KeReleaseMutex(&mutex, FALSE);
  return right && !KeAreApcsDisabled();
}

static BOOLEAN resources(void) {
  KeEnterCriticalRegion();
  ExAcquireResourceSharedLite(&resource, TRUE);
  ExAcquireResourceSharedLite(&resource, TRUE);
  BOOLEAN right = ExIsResourceAcquiredSharedLite(&resource) == 2 && !ExIsResourceAcquiredExclusiveLite(&resource);
  ExReleaseResourceLite(&resource);
  ExReleaseResourceForThreadLite(&resource, ExGetCurrentResourceThread());
  ExAcquireResourceExclusiveLite(&resource, TRUE);
  ExAcquireResourceSharedLite(&resource, TRUE);
  right = right && ExIsResourceAcquiredExclusiveLite(&resource);
  ExReleaseResourceLite(&resource);
  ExConvertExclusiveToSharedLite(&resource);
  ExReleaseResourceLite(&resource);
  ExAcquireSharedStarveExclusive(&resource, TRUE);
  ExReleaseResourceLite(&resource);
  ExAcquireSharedWaitForExclusive(&resource, TRUE);
  ExReleaseResourceLite(&resource);
  KeLeaveCriticalRegion();
  ExEnterCriticalRegionAndAcquireResourceShared(&resource);
  ExReleaseResourceAndLeaveCriticalRegion(&resource);
  ExEnterCriticalRegionAndAcquireResourceExclusive(&resource);
  /* Whoever waits is told, but how many those are nobody knows here. */
  right = right && ExGetExclusiveWaiterCount(&resource) + ExGetSharedWaiterCount(&resource) < 100;
  ExReleaseResourceAndLeaveCriticalRegion(&resource);
  return right;
}

static BOOLEAN run_down(void) {
  EX_RUNDOWN_REF own;
  if (ExAcquireRundownProtection(&rundown)) {
    ExReleaseRundownProtection(&rundown);
  }
  ExInitializeRundownProtection(&own);
  BOOLEAN right = ExAcquireRundownProtectionEx(&own, 2);
  ExReleaseRundownProtectionEx(&own, 2);
  ExWaitForRundownProtectionRelease(&own);
  right = right && !ExAcquireRundownProtection(&own);
  ExRundownCompleted(&own);
  ExReInitializeRundownProtection(&own);
  right = right && ExAcquireRundownProtection(&own);
  ExReleaseRundownProtection(&own);
  return right;
}

static VOID NTAPI called(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2) {
  UNREFERENCED_PARAMETER(dpc);
  UNREFERENCED_PARAMETER(argument1);
  UNREFERENCED_PARAMETER(argument2);
  KeSetEvent(context, IO_NO_INCREMENT, FALSE);
}

static BOOLEAN calls(void) {
  KEVENT done;
  KDPC dpc;
  KeInitializeEvent(&done, SynchronizationEvent, FALSE);
  KeInitializeDpc(&dpc, called, &done);
  KeSetImportanceDpc(&dpc, HighImportance);
  KeSetTargetProcessorDpc(&dpc, 0);
  BOOLEAN right = KeInsertQueueDpc(&dpc, NULL, NULL);
  KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
  KeInitializeThreadedDpc(&dpc, called, &done);
  KeInsertQueueDpc(&dpc, NULL, NULL);
  if (KeRemoveQueueDpc(&dpc)) {
    KeSetEvent(&done, IO_NO_INCREMENT, FALSE);
  }
  KeFlushQueuedDpcs();
  right = right && KeReadStateEvent(&done) != 0;
  KeClearEvent(&done);
  return right;
}

/* A second passes: here that takes no time. */
static BOOLEAN timers(void) {
  KTIMER timer, other;
  LARGE_INTEGER half = {.QuadPart = -5000000}, second = {.QuadPart = -10000000}, none = {.QuadPart = 0}, start, end;
  PVOID both[] = {&timer, &other};
  KeQuerySystemTimePrecise(&start);
  ULONG64 began = KeQueryInterruptTimePrecise(NULL);
  KeInitializeTimer(&timer);
  KeInitializeTimerEx(&other, SynchronizationTimer);
  KeSetTimer(&timer, half, NULL);
  KeSetTimerEx(&other, second, 1000, NULL);
  BOOLEAN right = !KeReadStateTimer(&timer);
  right = right && KeWaitForMultipleObjects(2, both, WaitAny, Executive, KernelMode, FALSE, NULL, NULL) == STATUS_WAIT_0;
  right = right && KeWaitForSingleObject(&other, Executive, KernelMode, FALSE, &none) == STATUS_TIMEOUT;
  right = right && KeWaitForMultipleObjects(2, both, WaitAll, Executive, KernelMode, FALSE, NULL, NULL) == STATUS_WAIT_0;
  right = right && KeReadStateTimer(&timer) && KeCancelTimer(&other) && !KeCancelTimer(&timer);
  KeSetCoalescableTimer(&timer, second, 0, 100, NULL);
  right = right && KeCancelTimer(&timer);
  KeDelayExecutionThread(KernelMode, FALSE, &half);
  KeQuerySystemTimePrecise(&end);
  /* Others may have let more time pass. */
  right = right && KeQueryInterruptTimePrecise(NULL) - began >= 15000000 && KeQueryUnbiasedInterruptTime() > began;
  return right && end.QuadPart - start.QuadPart >= 15000000 && KeQueryTimeIncrement() > 0;
}

static BOOLEAN semaphores(void) {
  KeWaitForSingleObject(&semaphore, Executive, KernelMode, FALSE, NULL);
  BOOLEAN right = KeReadStateSemaphore(&semaphore) <= 1;
  KeReleaseSemaphore(&semaphore, IO_NO_INCREMENT, 1, FALSE);
  return right && KeResetEvent(&event) == 0;
}

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  BOOLEAN right = spin_locks();
  right = mutexes() && right;
  right = resources() && right;
  right = run_down() && right;
  right = calls() && right;
  right = timers() && right;
  right = semaphores() && right;
  return complete(irp, right ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL, 0);
}

static VOID NTAPI unload(PDRIVER_OBJECT driver) {
  ExWaitForRundownProtectionRelease(&rundown);
  ExReinitializeResourceLite(&resource);
  ExDeleteResourceLite(&resource);
  remove_device(driver);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  NTSTATUS status = create_device(driver, 0, control, unload);
  if (!NT_SUCCESS(status)) {
    return status;
  }
  KeInitializeSpinLock(&spin_lock);
  ExInitializeFastMutex(&fast_mutex);
  KeInitializeGuardedMutex(&guarded_mutex);
  ExInitializeRundownProtection(&rundown);
  KeInitializeMutex(&mutex, 0);
  KeInitializeSemaphore(&semaphore, 2, 2);
  KeInitializeEvent(&event, NotificationEvent, FALSE);
  return ExInitializeResourceLite(&resource);
}
