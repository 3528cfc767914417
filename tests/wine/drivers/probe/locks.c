/* Locks, events, and waiting for them. */
#include "probe.h"

#define ROUNDS 20000

/* Two counters that are equal unless two threads change them at once. */
struct contended {
  KSPIN_LOCK spin_lock;
  EX_PUSH_LOCK push_lock;
  volatile LONG first;
  volatile LONG second;
  volatile LONG torn;
  volatile LONG wrong_irql;
  volatile LONG readers;
};

VOID irql(struct check *check) {
  KIRQL before = 0xFF;
  EXPECT(KeGetCurrentIrql() == PASSIVE_LEVEL);
  KeRaiseIrql(DISPATCH_LEVEL, &before);
  KIRQL raised = KeGetCurrentIrql();
  KeLowerIrql(before);
  EXPECT(before == PASSIVE_LEVEL && raised == DISPATCH_LEVEL);
  EXPECT(KeGetCurrentIrql() == PASSIVE_LEVEL);
}

static VOID change(struct contended *contended) {
  contended->torn += contended->first != contended->second;
  contended->first = contended->first + 1;
  contended->second = contended->second + 1;
}

static VOID NTAPI change_with_spin_lock(PVOID context) {
  struct contended *contended = context;
  for (LONG round = 0; round < ROUNDS; round++) {
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&contended->spin_lock);
    contended->wrong_irql += irql != PASSIVE_LEVEL || KeGetCurrentIrql() != DISPATCH_LEVEL;
    change(contended);
    KeReleaseSpinLock(&contended->spin_lock, irql);
  }
  PsTerminateSystemThread(STATUS_SUCCESS);
}

VOID spin_locks(struct check *check) {
  struct contended contended = {0};
  KeInitializeSpinLock(&contended.spin_lock);
  EXPECT(run_two(change_with_spin_lock, &contended));
  EXPECT(contended.torn == 0);
  EXPECT(contended.first == 2 * ROUNDS && contended.second == 2 * ROUNDS);
  EXPECT(contended.wrong_irql == 0);
  EXPECT(KeGetCurrentIrql() == PASSIVE_LEVEL);
}

static VOID NTAPI change_with_push_lock(PVOID context) {
  struct contended *contended = context;
  for (LONG round = 0; round < ROUNDS; round++) {
    KeEnterCriticalRegion();
    ExAcquirePushLockExclusiveEx(&contended->push_lock, EX_DEFAULT_PUSH_LOCK_FLAGS);
    change(contended);
    ExReleasePushLockExclusiveEx(&contended->push_lock, EX_DEFAULT_PUSH_LOCK_FLAGS);
    KeLeaveCriticalRegion();
  }
  PsTerminateSystemThread(STATUS_SUCCESS);
}

/* Meets the other thread while both have the lock: if one kept the other out, they would wait in vain. */
static VOID NTAPI meet_with_push_lock(PVOID context) {
  struct contended *contended = context;
  KeEnterCriticalRegion();
  ExAcquirePushLockSharedEx(&contended->push_lock, EX_DEFAULT_PUSH_LOCK_FLAGS);
  InterlockedIncrement(&contended->readers);
  contended->torn += !reaches(&contended->readers, 2);
  ExReleasePushLockSharedEx(&contended->push_lock, EX_DEFAULT_PUSH_LOCK_FLAGS);
  KeLeaveCriticalRegion();
  PsTerminateSystemThread(STATUS_SUCCESS);
}

VOID push_locks(struct check *check) {
  struct contended contended = {0};
  ExInitializePushLock(&contended.push_lock);
  EXPECT(run_two(change_with_push_lock, &contended));
  EXPECT(contended.torn == 0);
  EXPECT(contended.first == 2 * ROUNDS && contended.second == 2 * ROUNDS);
  EXPECT(run_two(meet_with_push_lock, &contended));
  EXPECT(contended.torn == 0);
}

VOID critical_regions(struct check *check) {
  /* A request of a program may find itself in a critical region; what counts is that it is left as it was entered. */
  BOOLEAN before = KeAreApcsDisabled();
  KeEnterCriticalRegion();
  EXPECT(KeAreApcsDisabled());
  KeEnterCriticalRegion();
  KeLeaveCriticalRegion();
  EXPECT(KeAreApcsDisabled());
  KeLeaveCriticalRegion();
  EXPECT(KeAreApcsDisabled() == before);
}

static VOID NTAPI set_later(PVOID event) {
  delay(20);
  KeSetEvent(event, IO_NO_INCREMENT, FALSE);
  PsTerminateSystemThread(STATUS_SUCCESS);
}

VOID events(struct check *check) {
  KEVENT notification, synchronization;
  KeInitializeEvent(&notification, NotificationEvent, FALSE);
  EXPECT(!is_signalled_now(&notification));
  EXPECT(KeSetEvent(&notification, IO_NO_INCREMENT, FALSE) == 0);
  EXPECT(KeSetEvent(&notification, IO_NO_INCREMENT, FALSE) != 0);
  EXPECT(is_signalled_now(&notification) && is_signalled_now(&notification));
  EXPECT(KeReadStateEvent(&notification) != 0);
  KeClearEvent(&notification);
  EXPECT(!is_signalled_now(&notification) && KeReadStateEvent(&notification) == 0);

  KeInitializeEvent(&synchronization, SynchronizationEvent, TRUE);
  EXPECT(is_signalled_now(&synchronization) && !is_signalled_now(&synchronization));
  EXPECT(KeReadStateEvent(&synchronization) == 0);
  KeSetEvent(&synchronization, IO_NO_INCREMENT, FALSE);
  EXPECT(KeResetEvent(&synchronization) != 0 && !is_signalled_now(&synchronization));

  PVOID thread = start_thread(set_later, &synchronization);
  EXPECT(KeWaitForSingleObject(&synchronization, Executive, KernelMode, FALSE, NULL) == STATUS_SUCCESS);
  EXPECT(join_thread(thread));
}

VOID waits_for_several(struct check *check) {
  KEVENT first, second;
  PVOID both[] = {&first, &second};
  LARGE_INTEGER none = {.QuadPart = 0};
  KeInitializeEvent(&first, SynchronizationEvent, FALSE);
  KeInitializeEvent(&second, SynchronizationEvent, TRUE);
  EXPECT(KeWaitForMultipleObjects(2, both, WaitAll, Executive, KernelMode, FALSE, &none, NULL) == STATUS_TIMEOUT);
  EXPECT(KeWaitForMultipleObjects(2, both, WaitAny, Executive, KernelMode, FALSE, &none, NULL) == STATUS_WAIT_1);
  EXPECT(KeWaitForMultipleObjects(2, both, WaitAny, Executive, KernelMode, FALSE, &none, NULL) == STATUS_TIMEOUT);
  KeSetEvent(&first, IO_NO_INCREMENT, FALSE);
  KeSetEvent(&second, IO_NO_INCREMENT, FALSE);
  EXPECT(KeWaitForMultipleObjects(2, both, WaitAll, Executive, KernelMode, FALSE, &none, NULL) == STATUS_SUCCESS);
  EXPECT(!is_signalled_now(&first) && !is_signalled_now(&second));
}
