/*
 * The driver that the probe opens and calls, and that clients leave requests in: it answers as it is told, lets requests pend,
 * and keeps a journal of what it was sent.
 */
#include "../common/device.h"
#include "partner.h"

struct extension {
  IO_CSQ queue;
  KSPIN_LOCK lock;
  LIST_ENTRY pending;
  ULONG entries;
  struct journal_entry journal[JOURNAL_LENGTH];
};

static struct extension *extension_of(PDEVICE_OBJECT device) { return device->DeviceExtension; }

static VOID record(PDEVICE_OBJECT device, PFILE_OBJECT file, ULONG event, ULONG detail) {
  struct extension *extension = extension_of(device);
  KIRQL irql;
  KeAcquireSpinLock(&extension->lock, &irql);
  if (extension->entries < JOURNAL_LENGTH) {
    struct journal_entry *entry = &extension->journal[extension->entries++];
    entry->file = (ULONG_PTR)file;
    entry->event = event;
    entry->detail = detail;
  }
  KeReleaseSpinLock(&extension->lock, irql);
}

static VOID NTAPI insert(PIO_CSQ queue, PIRP irp) {
  InsertTailList(&CONTAINING_RECORD(queue, struct extension, queue)->pending, &irp->Tail.Overlay.ListEntry);
}

static VOID NTAPI remove(PIO_CSQ queue, PIRP irp) {
  UNREFERENCED_PARAMETER(queue);
  RemoveEntryList(&irp->Tail.Overlay.ListEntry);
}

/* The next IRP after `irp`, of the file object `file` if it is not null. */
static PIRP NTAPI peek_next(PIO_CSQ queue, PIRP irp, PVOID file) {
  PLIST_ENTRY head = &CONTAINING_RECORD(queue, struct extension, queue)->pending;
  PLIST_ENTRY entry = irp == NULL ? head->Flink : irp->Tail.Overlay.ListEntry.Flink;
  for (; entry != head; entry = entry->Flink) {
    PIRP next = CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry);
    if (file == NULL || location(next)->FileObject == file) {
      return next;
    }
  }
  return NULL;
}

static VOID NTAPI acquire_lock(PIO_CSQ queue, PKIRQL irql) {
  KeAcquireSpinLock(&CONTAINING_RECORD(queue, struct extension, queue)->lock, irql);
}

static VOID NTAPI release_lock(PIO_CSQ queue, KIRQL irql) {
  KeReleaseSpinLock(&CONTAINING_RECORD(queue, struct extension, queue)->lock, irql);
}

static VOID NTAPI complete_canceled(PIO_CSQ queue, PIRP irp) {
  UNREFERENCED_PARAMETER(queue);
  record(location(irp)->DeviceObject, location(irp)->FileObject, EVENT_CANCELLED, 0);
  complete(irp, STATUS_CANCELLED, 0);
}

static VOID complete_all(PDEVICE_OBJECT device, PFILE_OBJECT file, NTSTATUS status) {
  PIRP irp;
  while ((irp = IoCsqRemoveNextIrp(&extension_of(device)->queue, file)) != NULL) {
    record(device, location(irp)->FileObject, EVENT_COMPLETED, (ULONG)status);
    complete(irp, status, 0);
  }
}

/* CREATE, CLEANUP and CLOSE. */
static NTSTATUS NTAPI open_or_close(PDEVICE_OBJECT device, PIRP irp) {
  PIO_STACK_LOCATION stack = location(irp);
  record(device, stack->FileObject, stack->MajorFunction, irp->RequestorMode);
  if (stack->MajorFunction == IRP_MJ_CREATE) {
    /* Whoever opens twice has two file objects, each with a context of its own. */
    stack->FileObject->FsContext = stack->FileObject;
  }
  if (stack->MajorFunction == IRP_MJ_CLEANUP) {
    complete_all(device, stack->FileObject, STATUS_CANCELLED);
  }
  return complete(irp, STATUS_SUCCESS, 0);
}

/* Fills the whole output with a byte, and completes with what the caller has asked for. */
static NTSTATUS answer(PIRP irp, ULONG input, ULONG output) {
  if (input < sizeof(struct answer)) {
    return complete(irp, STATUS_INFO_LENGTH_MISMATCH, 0);
  }
  struct answer asked = *(struct answer *)irp->AssociatedIrp.SystemBuffer;
  RtlFillMemory(irp->AssociatedIrp.SystemBuffer, output, asked.fill);
  return complete(irp, asked.status, asked.information);
}

static NTSTATUS reverse(PIRP irp, ULONG input, ULONG output) {
  PUCHAR buffer = irp->AssociatedIrp.SystemBuffer;
  if (output < input) {
    return complete(irp, STATUS_BUFFER_TOO_SMALL, 0);
  }
  for (ULONG low = 0, high = input; low + 1 < high; low++, high--) {
    UCHAR byte = buffer[low];
    buffer[low] = buffer[high - 1];
    buffer[high - 1] = byte;
  }
  return complete(irp, STATUS_SUCCESS, input);
}

static NTSTATUS read_journal(PDEVICE_OBJECT device, PIRP irp, ULONG output) {
  struct extension *extension = extension_of(device);
  KIRQL irql;
  KeAcquireSpinLock(&extension->lock, &irql);
  ULONG length = extension->entries * sizeof(struct journal_entry);
  BOOLEAN fits = length <= output;
  if (fits) {
    RtlCopyMemory(irp->AssociatedIrp.SystemBuffer, extension->journal, length);
  }
  KeReleaseSpinLock(&extension->lock, irql);
  return complete(irp, fits ? STATUS_SUCCESS : STATUS_BUFFER_TOO_SMALL, fits ? length : 0);
}

/* What takes the place of the IRPs in memory: as many blocks of their size, in which every pointer leads nowhere. */
static VOID fill_their_place(VOID) {
  PVOID blocks[64];
  for (ULONG i = 0; i < RTL_NUMBER_OF(blocks); i++) {
    blocks[i] = ExAllocatePoolWithTag(NonPagedPoolNx, IoSizeOfIrp(1), TAG);
    if (blocks[i] != NULL) {
      RtlFillMemory(blocks[i], IoSizeOfIrp(1), 0x41);
    }
  }
  for (ULONG i = 0; i < RTL_NUMBER_OF(blocks); i++) {
    if (blocks[i] != NULL) {
      ExFreePoolWithTag(blocks[i], TAG);
    }
  }
}

/* An event that a thread of the driver's and a program share. */
struct event {
  PKEVENT object;
  HANDLE handle;
};

static BOOLEAN create_event(struct event *event, PCWSTR text) {
  UNICODE_STRING name;
  RtlInitUnicodeString(&name, text);
  event->object = IoCreateSynchronizationEvent(&name, &event->handle);
  if (event->object != NULL) {
    /* It is new, and signalled. */
    KeClearEvent(event->object);
  }
  return event->object != NULL;
}

static VOID close_event(const struct event *event) {
  if (event->object != NULL) {
    ZwClose(event->handle);
  }
}

/* What the thread of IOCTL_COMPLETE_LATE has: it ends before the driver goes, since nobody stops it meanwhile. */
struct completer {
  PDEVICE_OBJECT device;
  struct event go;
  struct event done;
};

static VOID free_completer(struct completer *completer) {
  close_event(&completer->go);
  close_event(&completer->done);
  ExFreePoolWithTag(completer, TAG);
}

static VOID NTAPI complete_late(PVOID context) {
  struct completer *completer = context;
  KeWaitForSingleObject(completer->go.object, Executive, KernelMode, FALSE, NULL);
  complete_all(completer->device, NULL, STATUS_SUCCESS);
  fill_their_place();
  KeSetEvent(completer->done.object, IO_NO_INCREMENT, FALSE);
  free_completer(completer);
  PsTerminateSystemThread(STATUS_SUCCESS);
}

static NTSTATUS begin_completing_late(PDEVICE_OBJECT device, const struct late *names) {
  struct completer *completer = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof *completer, TAG);
  HANDLE thread;
  if (completer == NULL) {
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  RtlZeroMemory(completer, sizeof *completer);
  completer->device = device;
  NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
  if (create_event(&completer->go, names->go) && create_event(&completer->done, names->done)) {
    status = PsCreateSystemThread(&thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, complete_late, completer);
  }
  if (NT_SUCCESS(status)) {
    ZwClose(thread);
  } else {
    free_completer(completer);
  }
  return status;
}

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  PIO_STACK_LOCATION stack = location(irp);
  ULONG input = stack->Parameters.DeviceIoControl.InputBufferLength;
  ULONG output = stack->Parameters.DeviceIoControl.OutputBufferLength;
  BOOLEAN internal = stack->MajorFunction == IRP_MJ_INTERNAL_DEVICE_CONTROL;
  switch (stack->Parameters.DeviceIoControl.IoControlCode) {
  case IOCTL_REVERSE:
    return reverse(irp, input, output);
  case IOCTL_ANSWER:
    return answer(irp, input, output);
  case IOCTL_PEND:
    record(device, stack->FileObject, EVENT_PENDED, irp->RequestorMode);
    IoCsqInsertIrp(&extension_of(device)->queue, irp, NULL);
    return STATUS_PENDING;
  case IOCTL_COMPLETE_PENDED:
    complete_all(device, NULL, STATUS_SUCCESS);
    return complete(irp, STATUS_SUCCESS, 0);
  case IOCTL_COMPLETE_LATE:
    if (input != sizeof(struct late)) {
      return complete(irp, STATUS_INFO_LENGTH_MISMATCH, 0);
    }
    return complete(irp, begin_completing_late(device, irp->AssociatedIrp.SystemBuffer), 0);
  case IOCTL_READ_JOURNAL:
    return read_journal(device, irp, output);
  case IOCTL_CLEAR_JOURNAL:
    extension_of(device)->entries = 0;
    return complete(irp, STATUS_SUCCESS, 0);
  case IOCTL_INTERNAL:
    return complete(irp, internal ? STATUS_SUCCESS : STATUS_INVALID_DEVICE_REQUEST, 0);
  default:
    return complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
  }
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  driver->MajorFunction[IRP_MJ_CREATE] = open_or_close;
  driver->MajorFunction[IRP_MJ_CLEANUP] = open_or_close;
  driver->MajorFunction[IRP_MJ_CLOSE] = open_or_close;
  driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = control;
  driver->MajorFunction[IRP_MJ_INTERNAL_DEVICE_CONTROL] = control;
  driver->DriverUnload = remove_device;
  NTSTATUS status = create_device(driver, registry_path, sizeof(struct extension));
  if (!NT_SUCCESS(status)) {
    return status;
  }
  struct extension *extension = extension_of(driver->DeviceObject);
  KeInitializeSpinLock(&extension->lock);
  InitializeListHead(&extension->pending);
  return IoCsqInitialize(&extension->queue, insert, remove, peek_next, acquire_lock, release_lock, complete_canceled);
}
