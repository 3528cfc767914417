/*
 * What the controls that pend IRPs have in common: IRPs wait in the device's queue until they are cancelled or their handle is
 * cleaned up.
 */
#ifndef PENDING_H
#define PENDING_H

#include "control.h"

struct extension {
  KSPIN_LOCK lock;
  LIST_ENTRY queue;
};

static struct extension *extension(PDEVICE_OBJECT device) { return device->DeviceExtension; }

/* Takes the first IRP out of the queue that is not being cancelled; NULL if there is none. */
static PIRP take(PDEVICE_OBJECT device) {
  KIRQL irql;
  PIRP irp = NULL;
  KeAcquireSpinLock(&extension(device)->lock, &irql);
  while (irp == NULL && !IsListEmpty(&extension(device)->queue)) {
    PLIST_ENTRY entry = RemoveHeadList(&extension(device)->queue);
    irp = CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry);
    if (IoSetCancelRoutine(irp, NULL) == NULL) {
      /* Its cancel routine is on its way, and completes it: it finds an entry that it can remove. */
      InitializeListHead(entry);
      irp = NULL;
    }
  }
  KeReleaseSpinLock(&extension(device)->lock, irql);
  return irp;
}

static VOID NTAPI cancel(PDEVICE_OBJECT device, PIRP irp) {
  KIRQL irql;
  IoReleaseCancelSpinLock(irp->CancelIrql);
  KeAcquireSpinLock(&extension(device)->lock, &irql);
  RemoveEntryList(&irp->Tail.Overlay.ListEntry);
  KeReleaseSpinLock(&extension(device)->lock, irql);
  complete(irp, STATUS_CANCELLED, 0);
}

/* Puts an IRP into the queue. */
static NTSTATUS pend(PDEVICE_OBJECT device, PIRP irp, PDRIVER_CANCEL routine) {
  KIRQL irql;
  KeAcquireSpinLock(&extension(device)->lock, &irql);
  IoMarkIrpPending(irp);
  InsertTailList(&extension(device)->queue, &irp->Tail.Overlay.ListEntry);
  IoSetCancelRoutine(irp, routine);
  if (irp->Cancel && IoSetCancelRoutine(irp, NULL) != NULL) {
    /* Cancelled before it had a cancel routine: nobody else completes it. */
    RemoveEntryList(&irp->Tail.Overlay.ListEntry);
    KeReleaseSpinLock(&extension(device)->lock, irql);
    complete(irp, STATUS_CANCELLED, 0);
    return STATUS_PENDING;
  }
  KeReleaseSpinLock(&extension(device)->lock, irql);
  return STATUS_PENDING;
}

/* Completes everything that waits. */
static VOID flush(PDEVICE_OBJECT device, NTSTATUS status) {
  PIRP irp;
  while ((irp = take(device)) != NULL) {
    complete(irp, status, 0);
  }
}

static NTSTATUS NTAPI cleanup(PDEVICE_OBJECT device, PIRP irp) {
  flush(device, STATUS_CANCELLED);
  return complete(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS load_pending(PDRIVER_OBJECT driver, PDRIVER_DISPATCH control) {
  NTSTATUS status = create_device(driver, sizeof(struct extension), control, remove_device);
  if (!NT_SUCCESS(status)) {
    return status;
  }
  driver->MajorFunction[IRP_MJ_CLEANUP] = cleanup;
  PDEVICE_OBJECT device = driver->DeviceObject;
  KeInitializeSpinLock(&extension(device)->lock);
  InitializeListHead(&extension(device)->queue);
  return STATUS_SUCCESS;
}

#endif /* PENDING_H */
