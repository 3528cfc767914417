/* Keeps every rule: pends device controls, and has a work item complete all of them when one without output comes. */
#include "pending.h"

/* One run of the work item. It lives on the stack of who waits for its end. */
struct job {
  PIO_WORKITEM work;
  KEVENT done;
};

static VOID NTAPI serve(PDEVICE_OBJECT device, PVOID context) {
  struct job *job = context;
  flush(device, STATUS_SUCCESS);
  KeSetEvent(&job->done, IO_NO_INCREMENT, FALSE);
}

static NTSTATUS serve_all(PDEVICE_OBJECT device) {
  struct job job;
  job.work = IoAllocateWorkItem(device);
  if (job.work == NULL) {
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  KeInitializeEvent(&job.done, NotificationEvent, FALSE);
  IoQueueWorkItem(job.work, serve, DelayedWorkQueue, &job);
  KeWaitForSingleObject(&job.done, Executive, KernelMode, FALSE, NULL);
  IoFreeWorkItem(job.work);
  return STATUS_SUCCESS;
}

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  if (location(irp)->Parameters.DeviceIoControl.OutputBufferLength != 0) {
    return pend(device, irp, cancel);
  }
  return complete(irp, serve_all(device), 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return load_pending(driver, control);
}
