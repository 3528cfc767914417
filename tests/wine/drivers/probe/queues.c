/* Cancel-safe queues of IRPs. */
#include "probe.h"

struct queue {
  IO_CSQ csq;
  KSPIN_LOCK lock;
  LIST_ENTRY list;
  LONG cancelled;
  BOOLEAN refuses;
};

static struct queue *queue_of(PIO_CSQ csq) { return CONTAINING_RECORD(csq, struct queue, csq); }

static NTSTATUS NTAPI insert_extended(PIO_CSQ csq, PIRP irp, PVOID at_head) {
  if (queue_of(csq)->refuses) {
    return STATUS_DEVICE_NOT_READY;
  }
  if (at_head != NULL) {
    InsertHeadList(&queue_of(csq)->list, &irp->Tail.Overlay.ListEntry);
  } else {
    InsertTailList(&queue_of(csq)->list, &irp->Tail.Overlay.ListEntry);
  }
  return STATUS_SUCCESS;
}

static VOID NTAPI insert(PIO_CSQ csq, PIRP irp) { insert_extended(csq, irp, NULL); }

static VOID NTAPI remove(PIO_CSQ csq, PIRP irp) {
  UNREFERENCED_PARAMETER(csq);
  RemoveEntryList(&irp->Tail.Overlay.ListEntry);
}

/* Whatever comes next, or with a context only the IRP that it is. */
static PIRP NTAPI peek_next(PIO_CSQ csq, PIRP irp, PVOID wanted) {
  PLIST_ENTRY head = &queue_of(csq)->list;
  PLIST_ENTRY entry = irp == NULL ? head->Flink : irp->Tail.Overlay.ListEntry.Flink;
  for (; entry != head; entry = entry->Flink) {
    PIRP next = CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry);
    if (wanted == NULL || next == wanted) {
      return next;
    }
  }
  return NULL;
}

static VOID NTAPI acquire_lock(PIO_CSQ csq, PKIRQL irql) { KeAcquireSpinLock(&queue_of(csq)->lock, irql); }

static VOID NTAPI release_lock(PIO_CSQ csq, KIRQL irql) { KeReleaseSpinLock(&queue_of(csq)->lock, irql); }

/* The IRPs are the check's own, and not completed by a driver. */
static VOID NTAPI complete_canceled(PIO_CSQ csq, PIRP irp) {
  irp->IoStatus.Status = STATUS_CANCELLED;
  queue_of(csq)->cancelled++;
}

static VOID initialize(struct queue *queue) {
  RtlZeroMemory(queue, sizeof *queue);
  KeInitializeSpinLock(&queue->lock);
  InitializeListHead(&queue->list);
}

/* IRPs as a driver has them: with a current stack location. */
static BOOLEAN allocate(PIRP *irps, ULONG count) {
  BOOLEAN allocated = TRUE;
  for (ULONG i = 0; i < count; i++) {
    irps[i] = IoAllocateIrp(1, FALSE);
    if (irps[i] == NULL) {
      allocated = FALSE;
    } else {
      IoSetNextIrpStackLocation(irps[i]);
    }
  }
  return allocated;
}

static VOID release(PIRP *irps, ULONG count) {
  for (ULONG i = 0; i < count; i++) {
    if (irps[i] != NULL) {
      IoFreeIrp(irps[i]);
    }
  }
}

VOID queue_order(struct check *check) {
  struct queue queue;
  PIRP irps[3];
  initialize(&queue);
  REQUIRE(NT_SUCCESS(IoCsqInitialize(&queue.csq, insert, remove, peek_next, acquire_lock, release_lock, complete_canceled)));
  REQUIRE(allocate(irps, 3));
  EXPECT(IoCsqRemoveNextIrp(&queue.csq, NULL) == NULL);
  for (ULONG i = 0; i < 3; i++) {
    IoCsqInsertIrp(&queue.csq, irps[i], NULL);
    EXPECT(irps[i]->CancelRoutine != NULL && location(irps[i])->Control & SL_PENDING_RETURNED);
  }
  EXPECT(IoCsqRemoveNextIrp(&queue.csq, irps[1]) == irps[1] && irps[1]->CancelRoutine == NULL);
  EXPECT(IoCsqRemoveNextIrp(&queue.csq, irps[1]) == NULL);
  EXPECT(IoCsqRemoveNextIrp(&queue.csq, NULL) == irps[0]);
  EXPECT(IoCsqRemoveNextIrp(&queue.csq, NULL) == irps[2]);
  EXPECT(IoCsqRemoveNextIrp(&queue.csq, NULL) == NULL && IsListEmpty(&queue.list));
  release(irps, 3);
}

VOID queue_cancel(struct check *check) {
  struct queue queue;
  PIRP irps[3];
  IO_CSQ_IRP_CONTEXT contexts[3];
  initialize(&queue);
  REQUIRE(NT_SUCCESS(IoCsqInitialize(&queue.csq, insert, remove, peek_next, acquire_lock, release_lock, complete_canceled)));
  REQUIRE(allocate(irps, 3));
  for (ULONG i = 0; i < 2; i++) {
    IoCsqInsertIrp(&queue.csq, irps[i], &contexts[i]);
  }
  /* Cancelled in the queue: it is out of it, and nobody gets it any more. */
  EXPECT(IoCancelIrp(irps[0]) && queue.cancelled == 1 && irps[0]->IoStatus.Status == STATUS_CANCELLED);
  EXPECT(IoCsqRemoveIrp(&queue.csq, &contexts[0]) == NULL);
  EXPECT(IoCsqRemoveIrp(&queue.csq, &contexts[1]) == irps[1]);
  EXPECT(IoCsqRemoveIrp(&queue.csq, &contexts[1]) == NULL);
  /* Taken out: there is nothing left to cancel. */
  EXPECT(!IoCancelIrp(irps[1]) && queue.cancelled == 1);
  /* Cancelled before it came: it never stays in the queue. */
  EXPECT(!IoCancelIrp(irps[2]));
  IoCsqInsertIrp(&queue.csq, irps[2], NULL);
  EXPECT(queue.cancelled == 2 && IsListEmpty(&queue.list) && irps[2]->IoStatus.Status == STATUS_CANCELLED);
  EXPECT(KeGetCurrentIrql() == PASSIVE_LEVEL);
  release(irps, 3);
}

VOID queue_extended(struct check *check) {
  struct queue queue;
  PIRP irps[3];
  IO_CSQ_IRP_CONTEXT context;
  initialize(&queue);
  REQUIRE(NT_SUCCESS(
      IoCsqInitializeEx(&queue.csq, insert_extended, remove, peek_next, acquire_lock, release_lock, complete_canceled)));
  REQUIRE(allocate(irps, 3));
  EXPECT(IoCsqInsertIrpEx(&queue.csq, irps[0], NULL, NULL) == STATUS_SUCCESS);
  EXPECT(IoCsqInsertIrpEx(&queue.csq, irps[1], &context, &queue) == STATUS_SUCCESS);
  queue.refuses = TRUE;
  /* What is refused stays the driver's: not pending, and not to be cancelled. */
  EXPECT(IoCsqInsertIrpEx(&queue.csq, irps[2], NULL, NULL) == STATUS_DEVICE_NOT_READY);
  EXPECT(irps[2]->CancelRoutine == NULL && !(location(irps[2])->Control & SL_PENDING_RETURNED));
  EXPECT(!IoCancelIrp(irps[2]) && queue.cancelled == 0);
  EXPECT(IoCsqRemoveNextIrp(&queue.csq, NULL) == irps[1] && IoCsqRemoveIrp(&queue.csq, &context) == NULL);
  EXPECT(IoCancelIrp(irps[0]) && queue.cancelled == 1 && IsListEmpty(&queue.list));
  release(irps, 3);
}
