/* IRPs of a driver's own, sent to the partner. */
#include "probe.h"
#include "../partner/partner.h"

static UNICODE_STRING partner_name = RTL_CONSTANT_STRING(L"\\Device\\kernel_partner");

struct partner {
  PFILE_OBJECT file;
  PDEVICE_OBJECT device;
};

static BOOLEAN open(struct partner *partner) {
  partner->file = NULL;
  return IoGetDeviceObjectPointer(&partner_name, FILE_READ_DATA | FILE_WRITE_DATA, &partner->file, &partner->device) ==
             STATUS_SUCCESS &&
         partner->file != NULL;
}

/* Builds a request, sends it, and waits for its end as the documentation has it. */
static NTSTATUS send(struct partner *partner, ULONG code, BOOLEAN internal, PVOID input, ULONG input_length, PVOID output,
                     ULONG output_length, PIO_STATUS_BLOCK ended) {
  KEVENT event;
  KeInitializeEvent(&event, NotificationEvent, FALSE);
  PIRP irp = IoBuildDeviceIoControlRequest(code, partner->device, input, input_length, output, output_length, internal, &event,
                                           ended);
  if (irp == NULL) {
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  IoGetNextIrpStackLocation(irp)->FileObject = partner->file;
  NTSTATUS status = IoCallDriver(partner->device, irp);
  if (status == STATUS_PENDING) {
    KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL);
    status = ended->Status;
  }
  return status;
}

VOID irp_control(struct check *check) {
  struct partner partner;
  IO_STATUS_BLOCK ended = {0};
  CHAR text[] = "forwards", output[16];
  REQUIRE(open(&partner));
  RtlFillMemory(output, sizeof output, 0xEE);
  /* More room than there is input: the driver's buffer has that room, the caller's input keeps what it has. */
  EXPECT(send(&partner, IOCTL_REVERSE, FALSE, text, 8, output, sizeof output, &ended) == STATUS_SUCCESS);
  EXPECT(ended.Status == STATUS_SUCCESS && ended.Information == 8);
  EXPECT(RtlCompareMemory(output, "sdrawrof", 8) == 8 && RtlCompareMemory(text, "forwards", 8) == 8);
  /* Nothing is copied beyond Information. */
  EXPECT((UCHAR)output[8] == 0xEE && (UCHAR)output[15] == 0xEE);
  EXPECT(send(&partner, IOCTL_CLEAR_JOURNAL, FALSE, NULL, 0, NULL, 0, &ended) == STATUS_SUCCESS && ended.Information == 0);
  ObDereferenceObject(partner.file);
}

VOID irp_control_statuses(struct check *check) {
  struct partner partner;
  IO_STATUS_BLOCK ended = {0};
  UCHAR output[32];
  struct answer answer = {STATUS_BUFFER_OVERFLOW, 20, 0x77, {0}};
  REQUIRE(open(&partner));
  /* A warning comes with output, as far as Information says. */
  RtlFillMemory(output, sizeof output, 0xEE);
  EXPECT(send(&partner, IOCTL_ANSWER, FALSE, &answer, sizeof answer, output, sizeof output, &ended) == STATUS_BUFFER_OVERFLOW);
  EXPECT(ended.Status == STATUS_BUFFER_OVERFLOW && ended.Information == 20);
  EXPECT(output[0] == 0x77 && output[19] == 0x77 && output[20] == 0xEE);
  /* An error comes with none. */
  answer.status = STATUS_INVALID_PARAMETER;
  RtlFillMemory(output, sizeof output, 0xEE);
  EXPECT(send(&partner, IOCTL_ANSWER, FALSE, &answer, sizeof answer, output, sizeof output, &ended) == STATUS_INVALID_PARAMETER);
  EXPECT(output[0] == 0xEE && output[31] == 0xEE);
  ObDereferenceObject(partner.file);
}

VOID irp_internal(struct check *check) {
  struct partner partner;
  IO_STATUS_BLOCK ended = {0};
  REQUIRE(open(&partner));
  EXPECT(send(&partner, IOCTL_INTERNAL, TRUE, NULL, 0, NULL, 0, &ended) == STATUS_SUCCESS);
  EXPECT(send(&partner, IOCTL_INTERNAL, FALSE, NULL, 0, NULL, 0, &ended) == STATUS_INVALID_DEVICE_REQUEST);
  ObDereferenceObject(partner.file);
}

struct completion {
  KEVENT done;
  LONG count;
  NTSTATUS status;
};

static NTSTATUS NTAPI completed(PDEVICE_OBJECT device, PIRP irp, PVOID context) {
  struct completion *completion = context;
  UNREFERENCED_PARAMETER(device);
  completion->count++;
  completion->status = irp->IoStatus.Status;
  KeSetEvent(&completion->done, IO_NO_INCREMENT, FALSE);
  return STATUS_MORE_PROCESSING_REQUIRED;
}

/* Has an IRP go back to the I/O manager, which keeps it for nobody. */
static NTSTATUS NTAPI never_called(PDEVICE_OBJECT device, PIRP irp, PVOID context) {
  UNREFERENCED_PARAMETER(device);
  UNREFERENCED_PARAMETER(irp);
  ((struct completion *)context)->count += 100;
  return STATUS_CONTINUE_COMPLETION;
}

/* Fills an IRP in for a device control without buffers, with a completion routine that keeps it. */
static VOID prepare(PIRP irp, struct partner *partner, ULONG code, struct completion *completion) {
  PIO_STACK_LOCATION next = IoGetNextIrpStackLocation(irp);
  KeInitializeEvent(&completion->done, NotificationEvent, FALSE);
  completion->count = 0;
  next->MajorFunction = IRP_MJ_DEVICE_CONTROL;
  next->FileObject = partner->file;
  next->Parameters.DeviceIoControl.IoControlCode = code;
  irp->Tail.Overlay.Thread = PsGetCurrentThread();
  IoSetCompletionRoutine(irp, completed, completion, TRUE, TRUE, TRUE);
}

VOID irp_completion(struct check *check) {
  struct partner partner;
  struct completion completion;
  REQUIRE(open(&partner));
  PIRP irp = IoAllocateIrp(partner.device->StackSize, FALSE);
  REQUIRE(irp != NULL);
  prepare(irp, &partner, IOCTL_CLEAR_JOURNAL, &completion);
  EXPECT(IoCallDriver(partner.device, irp) == STATUS_SUCCESS);
  EXPECT(completion.count == 1 && completion.status == STATUS_SUCCESS && irp->IoStatus.Status == STATUS_SUCCESS);
  IoReuseIrp(irp, STATUS_UNSUCCESSFUL);
  EXPECT(irp->IoStatus.Status == STATUS_UNSUCCESSFUL);
  prepare(irp, &partner, IOCTL_PEND, &completion);
  EXPECT(IoCallDriver(partner.device, irp) == STATUS_PENDING && completion.count == 0);
  IO_STATUS_BLOCK ended = {0};
  EXPECT(send(&partner, IOCTL_COMPLETE_PENDED, FALSE, NULL, 0, NULL, 0, &ended) == STATUS_SUCCESS);
  EXPECT(is_signalled_soon(&completion.done) && completion.count == 1 && completion.status == STATUS_SUCCESS);
  IoFreeIrp(irp);
  ObDereferenceObject(partner.file);
}

/* The routine that keeps its driver, set by IoSetCompletionRoutineEx: called when it is to be, by the IRP's status. */
VOID irp_protected_completion(struct check *check) {
  struct partner partner;
  struct completion completion;
  REQUIRE(open(&partner));
  PIRP irp = IoAllocateIrp(partner.device->StackSize + 1, FALSE);
  REQUIRE(irp != NULL);
  /* A location of this driver's own: its completion routine keeps the IRP, whatever the other one does. */
  prepare(irp, &partner, IOCTL_CLEAR_JOURNAL, &completion);
  IoSetNextIrpStackLocation(irp);
  IoCopyCurrentIrpStackLocationToNext(irp);
  EXPECT(IoSetCompletionRoutineEx(check->device, irp, never_called, &completion, FALSE, TRUE, TRUE) == STATUS_SUCCESS);
  EXPECT(IoCallDriver(partner.device, irp) == STATUS_SUCCESS && completion.count == 1);
  IoReuseIrp(irp, STATUS_SUCCESS);
  prepare(irp, &partner, IOCTL_CLEAR_JOURNAL, &completion);
  EXPECT(IoSetCompletionRoutineEx(check->device, irp, completed, &completion, TRUE, FALSE, FALSE) == STATUS_SUCCESS);
  EXPECT(IoCallDriver(partner.device, irp) == STATUS_SUCCESS);
  EXPECT(completion.count == 1 && completion.status == STATUS_SUCCESS);
  /* Only when the IRP was cancelled. */
  IoReuseIrp(irp, STATUS_UNSUCCESSFUL);
  prepare(irp, &partner, IOCTL_PEND, &completion);
  EXPECT(IoSetCompletionRoutineEx(check->device, irp, completed, &completion, FALSE, FALSE, TRUE) == STATUS_SUCCESS);
  EXPECT(IoCallDriver(partner.device, irp) == STATUS_PENDING && IoCancelIrp(irp));
  EXPECT(is_signalled_soon(&completion.done) && completion.count == 1 && completion.status == STATUS_CANCELLED);
  IoFreeIrp(irp);
  ObDereferenceObject(partner.file);
}

VOID irp_cancelled(struct check *check) {
  struct partner partner;
  struct completion completion;
  REQUIRE(open(&partner));
  PIRP irp = IoAllocateIrp(partner.device->StackSize, FALSE);
  REQUIRE(irp != NULL);
  prepare(irp, &partner, IOCTL_PEND, &completion);
  EXPECT(IoCallDriver(partner.device, irp) == STATUS_PENDING);
  EXPECT(IoCancelIrp(irp));
  EXPECT(is_signalled_soon(&completion.done) && completion.count == 1 && completion.status == STATUS_CANCELLED);
  EXPECT(KeGetCurrentIrql() == PASSIVE_LEVEL);
  IoFreeIrp(irp);
  ObDereferenceObject(partner.file);
}

/* What the partner was sent for a file object, but for requests that it does not note. */
static ULONG journal_of(struct partner *partner, PVOID file, ULONG *events, ULONG room) {
  static struct journal_entry journal[JOURNAL_LENGTH];
  IO_STATUS_BLOCK ended = {0};
  ULONG count = 0;
  if (send(partner, IOCTL_READ_JOURNAL, FALSE, NULL, 0, journal, sizeof journal, &ended) != STATUS_SUCCESS) {
    return 0;
  }
  for (ULONG i = 0; i < ended.Information / sizeof journal[0]; i++) {
    if (journal[i].file == (ULONG_PTR)file && count < room) {
      events[count++] = journal[i].detail == KernelMode ? journal[i].event : 0xFFFF;
    }
  }
  return count;
}

static VOID opened_and_closed(struct check *check, PUNICODE_STRING name) {
  struct partner observer, other;
  IO_STATUS_BLOCK ended = {0};
  ULONG events[4];
  REQUIRE(open(&observer));
  EXPECT(send(&observer, IOCTL_CLEAR_JOURNAL, FALSE, NULL, 0, NULL, 0, &ended) == STATUS_SUCCESS);
  REQUIRE(IoGetDeviceObjectPointer(name, FILE_READ_DATA, &other.file, &other.device) == STATUS_SUCCESS);
  EXPECT(other.device == observer.device && other.file != observer.file && other.file->DeviceObject == other.device);
  /* The partner's own place in it stays as the partner has left it. */
  EXPECT(other.file->FsContext == other.file && observer.file->FsContext == observer.file);
  /* The handle is closed before the function returns, the file object lives on by the reference. */
  EXPECT(journal_of(&observer, other.file, events, 4) == 2 && events[0] == IRP_MJ_CREATE && events[1] == IRP_MJ_CLEANUP);
  ObReferenceObject(other.file);
  ObDereferenceObject(other.file);
  EXPECT(send(&other, IOCTL_REVERSE, FALSE, NULL, 0, NULL, 0, &ended) == STATUS_SUCCESS);
  EXPECT(journal_of(&observer, other.file, events, 4) == 2);
  ObDereferenceObject(other.file);
  EXPECT(journal_of(&observer, other.file, events, 4) == 3 && events[2] == IRP_MJ_CLOSE);
  ObDereferenceObject(observer.file);
}

VOID device_pointers(struct check *check) {
  UNICODE_STRING unknown = RTL_CONSTANT_STRING(L"\\Device\\NoSuchDevice");
  UNICODE_STRING other_case = RTL_CONSTANT_STRING(L"\\DEVICE\\KERNEL_PARTNER");
  PFILE_OBJECT file = NULL;
  PDEVICE_OBJECT device = NULL;
  EXPECT(IoGetDeviceObjectPointer(&unknown, FILE_READ_DATA, &file, &device) == STATUS_OBJECT_NAME_NOT_FOUND);
  opened_and_closed(check, &partner_name);
  opened_and_closed(check, &other_case);
}

VOID device_pointers_by_link(struct check *check) {
  UNICODE_STRING link = RTL_CONSTANT_STRING(L"\\DosDevices\\kernel_partner");
  opened_and_closed(check, &link);
}

static struct partner held;

/* Opens the partner's device and keeps it, until the other check closes it. */
VOID holds_partner(struct check *check) { EXPECT(held.file == NULL && open(&held)); }

/* Stopped meanwhile, the partner is there for who has it open, and for nobody else. */
VOID releases_partner(struct check *check) {
  IO_STATUS_BLOCK ended = {0};
  struct partner other;
  REQUIRE(held.file != NULL);
  EXPECT(!open(&other));
  EXPECT(send(&held, IOCTL_REVERSE, FALSE, NULL, 0, NULL, 0, &ended) == STATUS_SUCCESS);
  ObDereferenceObject(held.file);
  held.file = NULL;
}
