/* The probe's entry, and how a check is run. */
#include "probe.h"

#define PROBE_CODE(function) ((ULONG)CTL_CODE(DEVICE_TYPE_OF_TESTS, function, METHOD_BUFFERED, FILE_ANY_ACCESS))
/* Input: the caller's process id, then a check's name; output: `struct report`. */
#define IOCTL_RUN PROBE_CODE(0x800)
/* Output: the names of all checks, each with a zero behind it. */
#define IOCTL_LIST PROBE_CODE(0x801)

#define CHECK(name) {#name, name}

static const struct {
  PCSTR name;
  check_routine *run;
} checks[] = {
    CHECK(callback_waits), CHECK(callbacks), CHECK(clocks), CHECK(critical_regions), CHECK(device_pointers),
    CHECK(device_pointers_by_link), CHECK(dpcs), CHECK(events), CHECK(holds_partner), CHECK(irp_cancelled),
    CHECK(irp_completion), CHECK(irp_control), CHECK(irp_control_statuses), CHECK(irp_internal), CHECK(irp_protected_completion), CHECK(irql), CHECK(objects),
    CHECK(pool), CHECK(push_locks), CHECK(queue_cancel), CHECK(queue_extended), CHECK(queue_order), CHECK(registry),
    CHECK(releases_partner), CHECK(requestors), CHECK(routine_lookup), CHECK(rundown), CHECK(rundown_waits),
    CHECK(security), CHECK(spin_locks), CHECK(threads), CHECK(timer_dpcs), CHECK(timer_feeds_work_item),
    CHECK(timer_signals), CHECK(tracing), CHECK(tracing_unheard), CHECK(waits_for_several), CHECK(work_items),
};

static WCHAR registry_path_buffer[128];
static UNICODE_STRING registry_path = {.Buffer = registry_path_buffer, .MaximumLength = sizeof registry_path_buffer};

static VOID copy(PCHAR to, ULONG room, PCSTR from) {
  ULONG length = 0;
  while (length + 1 < room && from[length] != 0) {
    to[length] = from[length];
    length++;
  }
  to[length] = 0;
}

BOOLEAN expect(struct check *check, BOOLEAN met, PCSTR text, PCSTR file, ULONG line) {
  struct report *report = check->report;
  if (met) {
    report->met++;
  } else if (report->line == 0) {
    report->line = line;
    copy(report->file, sizeof report->file, file);
    copy(report->text, sizeof report->text, text);
  }
  return met;
}

static BOOLEAN is_signalled(PVOID object, LONG milliseconds) {
  LARGE_INTEGER timeout = {.QuadPart = -MILLISECONDS(milliseconds)};
  return KeWaitForSingleObject(object, Executive, KernelMode, FALSE, &timeout) == STATUS_SUCCESS;
}

BOOLEAN is_signalled_soon(PVOID object) { return is_signalled(object, PATIENCE_SECONDS * 1000); }

BOOLEAN is_signalled_now(PVOID object) { return is_signalled(object, 0); }

VOID delay(LONG milliseconds) {
  LARGE_INTEGER interval = {.QuadPart = -MILLISECONDS(milliseconds)};
  KeDelayExecutionThread(KernelMode, FALSE, &interval);
}

BOOLEAN reaches(volatile LONG *counter, LONG value) {
  for (LONG waited = 0; *counter < value && waited < PATIENCE_SECONDS * 1000; waited++) {
    delay(1);
  }
  return *counter >= value;
}

PVOID start_thread(PKSTART_ROUTINE routine, PVOID context) {
  HANDLE handle;
  PVOID thread = NULL;
  if (NT_SUCCESS(PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, routine, context))) {
    ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS, OBJECT_TYPE_IN(PsThreadType), KernelMode, &thread, NULL);
    ZwClose(handle);
  }
  return thread;
}

BOOLEAN join_thread(PVOID thread) {
  BOOLEAN ended = thread != NULL && is_signalled_soon(thread);
  if (thread != NULL) {
    ObDereferenceObject(thread);
  }
  return ended;
}

BOOLEAN run_two(PKSTART_ROUTINE routine, PVOID context) {
  PVOID first = start_thread(routine, context);
  PVOID second = start_thread(routine, context);
  BOOLEAN ended = join_thread(first);
  return join_thread(second) && ended;
}

static check_routine *find(PCSTR name, ULONG length) {
  for (ULONG i = 0; i < RTL_NUMBER_OF(checks); i++) {
    if (strlen(checks[i].name) == length && RtlCompareMemory(checks[i].name, name, length) == length) {
      return checks[i].run;
    }
  }
  return NULL;
}

static NTSTATUS run(PDEVICE_OBJECT device, PIRP irp, ULONG input, ULONG output) {
  PUCHAR buffer = irp->AssociatedIrp.SystemBuffer;
  if (input < sizeof(ULONG) || output < sizeof(struct report)) {
    return complete(irp, STATUS_INFO_LENGTH_MISMATCH, 0);
  }
  check_routine *routine = find((PCSTR)buffer + sizeof(ULONG), input - sizeof(ULONG));
  if (routine == NULL) {
    return complete(irp, STATUS_NOT_FOUND, 0);
  }
  struct report report = {0};
  struct check check = {&report, device, irp, *(PULONG)buffer, &registry_path};
  routine(&check);
  *(struct report *)buffer = report;
  return complete(irp, STATUS_SUCCESS, sizeof report);
}

static NTSTATUS list(PIRP irp, ULONG output) {
  PCHAR buffer = irp->AssociatedIrp.SystemBuffer;
  ULONG length = 0;
  for (ULONG i = 0; i < RTL_NUMBER_OF(checks); i++) {
    ULONG size = (ULONG)strlen(checks[i].name) + 1;
    if (output - length < size) {
      return complete(irp, STATUS_BUFFER_TOO_SMALL, 0);
    }
    RtlCopyMemory(buffer + length, checks[i].name, size);
    length += size;
  }
  return complete(irp, STATUS_SUCCESS, length);
}

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  PIO_STACK_LOCATION stack = location(irp);
  ULONG input = stack->Parameters.DeviceIoControl.InputBufferLength;
  ULONG output = stack->Parameters.DeviceIoControl.OutputBufferLength;
  switch (stack->Parameters.DeviceIoControl.IoControlCode) {
  case IOCTL_RUN:
    return run(device, irp, input, output);
  case IOCTL_LIST:
    return list(irp, output);
  default:
    return complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
  }
}

static NTSTATUS NTAPI succeed(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  return complete(irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path) {
  driver->MajorFunction[IRP_MJ_CREATE] = succeed;
  driver->MajorFunction[IRP_MJ_CLEANUP] = succeed;
  driver->MajorFunction[IRP_MJ_CLOSE] = succeed;
  driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = control;
  driver->DriverUnload = remove_device;
  RtlCopyUnicodeString(&registry_path, path);
  return create_device(driver, path, 0);
}
