/* Timers and deferred procedure calls. */
#include "probe.h"

struct calls {
  KDPC dpc;
  KTIMER timer;
  KEVENT called;
  volatile LONG count;
  volatile LONG wrong;
  PVOID arguments[2];
  volatile LONG released;
  LONG rounds;
  PIO_WORKITEM item;
  PDEVICE_OBJECT device;
};

static VOID NTAPI count_call(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2) {
  struct calls *calls = context;
  calls->wrong += dpc != &calls->dpc || KeGetCurrentIrql() != DISPATCH_LEVEL;
  calls->arguments[0] = argument1;
  calls->arguments[1] = argument2;
  InterlockedIncrement(&calls->count);
  KeSetEvent(&calls->called, IO_NO_INCREMENT, FALSE);
}

/* A call that is under way until it is told to end, though no real one might take its time. */
static VOID NTAPI await_release(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2) {
  struct calls *calls = context;
  UNREFERENCED_PARAMETER(dpc);
  UNREFERENCED_PARAMETER(argument1);
  UNREFERENCED_PARAMETER(argument2);
  KeSetEvent(&calls->called, IO_NO_INCREMENT, FALSE);
  ULONG64 stamp, began = KeQueryInterruptTimePrecise(&stamp);
  while (!calls->released && KeQueryInterruptTimePrecise(&stamp) - began < (ULONG64)MILLISECONDS(PATIENCE_SECONDS * 1000)) {
    YieldProcessor();
  }
  InterlockedIncrement(&calls->count);
}

static VOID NTAPI release_later(PVOID context) {
  struct calls *calls = context;
  delay(20);
  calls->released = 1;
  PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID initialize(struct calls *calls, PKDEFERRED_ROUTINE routine) {
  KeInitializeEvent(&calls->called, SynchronizationEvent, FALSE);
  KeInitializeDpc(&calls->dpc, routine, calls);
  KeInitializeTimerEx(&calls->timer, NotificationTimer);
}

VOID dpcs(struct check *check) {
  struct calls calls = {0}, other = {0};
  initialize(&calls, count_call);
  EXPECT(KeInsertQueueDpc(&calls.dpc, (PVOID)1, (PVOID)2));
  EXPECT(is_signalled_soon(&calls.called));
  EXPECT(calls.count == 1 && calls.wrong == 0 && calls.arguments[0] == (PVOID)1 && calls.arguments[1] == (PVOID)2);
  EXPECT(!KeRemoveQueueDpc(&calls.dpc));
  /* One after the other: it may be queued again as soon as it runs. */
  for (LONG round = 2; round <= 50; round++) {
    EXPECT(KeInsertQueueDpc(&calls.dpc, NULL, NULL) && is_signalled_soon(&calls.called) && calls.count == round);
  }
  /* While one is under way, and this thread keeps its processor, the next waits: it is queued once, and can be taken back. */
  initialize(&other, await_release);
  EXPECT(KeInsertQueueDpc(&other.dpc, NULL, NULL) && is_signalled_soon(&other.called));
  KIRQL irql;
  KSPIN_LOCK lock;
  KeInitializeSpinLock(&lock);
  KeAcquireSpinLock(&lock, &irql);
  BOOLEAN inserted = KeInsertQueueDpc(&other.dpc, NULL, NULL), again = KeInsertQueueDpc(&other.dpc, NULL, NULL);
  BOOLEAN removed = KeRemoveQueueDpc(&other.dpc);
  KeReleaseSpinLock(&lock, irql);
  other.released = 1;
  EXPECT(inserted && !again && removed);
  KeFlushQueuedDpcs();
  EXPECT(other.count == 1 && !is_signalled_now(&other.called));
}

VOID timer_signals(struct check *check) {
  KTIMER notification, synchronization;
  LARGE_INTEGER soon = {.QuadPart = -MILLISECONDS(20)}, late = {.QuadPart = -MILLISECONDS(60000)};
  KeInitializeTimer(&notification);
  EXPECT(!KeReadStateTimer(&notification));
  EXPECT(!KeSetTimer(&notification, soon, NULL));
  EXPECT(is_signalled_soon(&notification) && is_signalled_now(&notification) && KeReadStateTimer(&notification));
  EXPECT(!KeCancelTimer(&notification));
  EXPECT(!KeSetTimer(&notification, late, NULL));
  EXPECT(!is_signalled_now(&notification) && !KeReadStateTimer(&notification));
  /* Set anew while it is set, and then it counts from there. */
  EXPECT(KeSetTimer(&notification, soon, NULL) && is_signalled_soon(&notification));
  EXPECT(!KeSetTimer(&notification, late, NULL) && KeCancelTimer(&notification) && !KeCancelTimer(&notification));
  KeInitializeTimerEx(&synchronization, SynchronizationTimer);
  EXPECT(!KeSetTimerEx(&synchronization, soon, 10, NULL));
  EXPECT(is_signalled_soon(&synchronization) && is_signalled_soon(&synchronization) && is_signalled_soon(&synchronization));
  EXPECT(KeCancelTimer(&synchronization));
}

VOID timer_dpcs(struct check *check) {
  struct calls calls = {0}, slow = {0};
  LARGE_INTEGER soon = {.QuadPart = -MILLISECONDS(10)}, late = {.QuadPart = -MILLISECONDS(60000)};
  initialize(&calls, count_call);
  EXPECT(!KeSetTimer(&calls.timer, soon, &calls.dpc));
  EXPECT(is_signalled_soon(&calls.called) && calls.count == 1 && calls.wrong == 0);
  EXPECT(!KeCancelTimer(&calls.timer));
  /* As often as its period, until it is cancelled. */
  EXPECT(!KeSetTimerEx(&calls.timer, soon, 5, &calls.dpc));
  EXPECT(reaches(&calls.count, 4));
  EXPECT(KeCancelTimer(&calls.timer));
  KeFlushQueuedDpcs();
  LONG count = calls.count;
  delay(50);
  EXPECT(calls.count == count && calls.wrong == 0);
  /* Not yet, and then never. */
  EXPECT(!KeSetTimer(&calls.timer, late, &calls.dpc) && KeCancelTimer(&calls.timer));
  KeFlushQueuedDpcs();
  EXPECT(calls.count == count);
  /* What has begun has ended when the queue is flushed. */
  initialize(&slow, await_release);
  EXPECT(!KeSetTimer(&slow.timer, soon, &slow.dpc) && is_signalled_soon(&slow.called));
  PVOID thread = start_thread(release_later, &slow);
  KeFlushQueuedDpcs();
  EXPECT(slow.count == 1);
  EXPECT(join_thread(thread));
}

static VOID NTAPI work(PDEVICE_OBJECT device, PVOID context) {
  struct calls *calls = context;
  calls->wrong += device != calls->device || KeGetCurrentIrql() != PASSIVE_LEVEL;
  InterlockedIncrement(&calls->count);
}

/* Queues the work item, and sets the timer anew: what can be done at DISPATCH_LEVEL. */
static VOID NTAPI feed(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2) {
  struct calls *calls = context;
  LARGE_INTEGER soon = {.QuadPart = -MILLISECONDS(5)};
  UNREFERENCED_PARAMETER(argument1);
  UNREFERENCED_PARAMETER(argument2);
  LONG round = calls->rounds++;
  if (round < 3) {
    calls->wrong += KeSetTimer(&calls->timer, soon, dpc);
  } else {
    IoQueueWorkItem(calls->item, work, DelayedWorkQueue, calls);
  }
}

VOID timer_feeds_work_item(struct check *check) {
  struct calls calls = {.device = check->device};
  LARGE_INTEGER soon = {.QuadPart = -MILLISECONDS(5)};
  calls.item = IoAllocateWorkItem(check->device);
  REQUIRE(calls.item != NULL);
  initialize(&calls, feed);
  EXPECT(!KeSetTimer(&calls.timer, soon, &calls.dpc));
  EXPECT(reaches(&calls.count, 1));
  EXPECT(calls.wrong == 0 && calls.rounds == 4);
  EXPECT(!KeCancelTimer(&calls.timer));
  KeFlushQueuedDpcs();
  IoFreeWorkItem(calls.item);
}
