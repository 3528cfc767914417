/*
 * Keeps every rule: device controls with output wait in a cancel-safe queue until one without output comes, a second has passed,
 * or their handle is cleaned up.
 */
#include "control.h"

struct extension {
  IO_CSQ queue;
  KSPIN_LOCK lock;
  LIST_ENTRY irps;
  KTIMER timer;
  KDPC dpc;
};

static struct extension *extension(PDEVICE_OBJECT device) { return device->DeviceExtension; }

static struct extension *owner(PIO_CSQ queue) { return CONTAINING_RECORD(queue, struct extension, queue); }

static NTSTATUS NTAPI insert(PIO_CSQ queue, PIRP irp, PVOID context) {
  UNREFERENCED_PARAMETER(context);
  InsertTailList(&owner(queue)->irps, &irp->Tail.Overlay.ListEntry);
  return STATUS_SUCCESS;
}

static VOID NTAPI remove(PIO_CSQ queue, PIRP irp) {
  UNREFERENCED_PARAMETER(queue);
  RemoveEntryList(&irp->Tail.Overlay.ListEntry);
}

/* The first IRP behind `irp` that was sent through the file `context`, or through any. */
static PIRP NTAPI peek_next(PIO_CSQ queue, PIRP irp, PVOID context) {
  PLIST_ENTRY head = &owner(queue)->irps;
  PLIST_ENTRY entry = irp == NULL ? head->Flink : irp->Tail.Overlay.ListEntry.Flink;
  for (; entry != head; entry = entry->Flink) {
    PIRP next = CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry);
    if (context == NULL || location(next)->FileObject == context) {
      return next;
    }
  }
  return NULL;
}

static VOID NTAPI acquire(PIO_CSQ queue, PKIRQL irql) { KeAcquireSpinLock(&owner(queue)->lock, irql); }

static VOID NTAPI release(PIO_CSQ queue, KIRQL irql) { KeReleaseSpinLock(&owner(queue)->lock, irql); }

static VOID NTAPI complete_cancelled(PIO_CSQ queue, PIRP irp) {
  UNREFERENCED_PARAMETER(queue);
  complete(irp, STATUS_CANCELLED, 0);
}

static VOID flush(struct extension *extension, PVOID file, NTSTATUS status) {
  PIRP irp;
  while ((irp = IoCsqRemoveNextIrp(&extension->queue, file)) != NULL) {
    complete(irp, status, 0);
  }
}

static VOID NTAPI expired(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2) {
  UNREFERENCED_PARAMETER(dpc);
  UNREFERENCED_PARAMETER(argument1);
  UNREFERENCED_PARAMETER(argument2);
  flush(context, NULL, STATUS_TIMEOUT);
}

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  struct extension *own = extension(device);
  LARGE_INTEGER second = {.QuadPart = -10000000};
  if (location(irp)->Parameters.DeviceIoControl.OutputBufferLength == 0) {
    flush(own, NULL, STATUS_SUCCESS);
    return complete(irp, STATUS_SUCCESS, 0);
  }
  KeSetTimer(&own->timer, second, &own->dpc);
  NTSTATUS status = IoCsqInsertIrpEx(&own->queue, irp, NULL, NULL);
  return NT_SUCCESS(status) ? STATUS_PENDING : complete(irp, status, 0);
}

static NTSTATUS NTAPI cleanup(PDEVICE_OBJECT device, PIRP irp) {
  flush(extension(device), location(irp)->FileObject, STATUS_CANCELLED);
  return complete(irp, STATUS_SUCCESS, 0);
}

static VOID NTAPI unload(PDRIVER_OBJECT driver) {
  KeCancelTimer(&extension(driver->DeviceObject)->timer);
  /* If it has expired already its DPC may still be on the way. */
  KeFlushQueuedDpcs();
  remove_device(driver);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  NTSTATUS status = create_device(driver, sizeof(struct extension), control, unload);
  if (!NT_SUCCESS(status)) {
    return status;
  }
  driver->MajorFunction[IRP_MJ_CLEANUP] = cleanup;
  struct extension *own = extension(driver->DeviceObject);
  KeInitializeSpinLock(&own->lock);
  InitializeListHead(&own->irps);
  KeInitializeTimer(&own->timer);
  KeInitializeDpc(&own->dpc, expired, own);
  return IoCsqInitializeEx(&own->queue, insert, remove, peek_next, acquire, release, complete_cancelled);
}
