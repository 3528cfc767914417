/* Threads and work items. */
#include "probe.h"

static VOID NTAPI tell_process(PVOID context) {
  *(volatile LONG *)context = (LONG)(ULONG_PTR)PsGetCurrentProcessId();
  PsTerminateSystemThread(STATUS_SUCCESS);
}

VOID threads(struct check *check) {
  volatile LONG process_id = -1;
  HANDLE handle;
  REQUIRE(NT_SUCCESS(PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, tell_process, (PVOID)&process_id)));
  LARGE_INTEGER timeout = {.QuadPart = -MILLISECONDS(PATIENCE_SECONDS * 1000)};
  EXPECT(ZwWaitForSingleObject(handle, FALSE, &timeout) == STATUS_SUCCESS);
  EXPECT(NT_SUCCESS(ZwClose(handle)));
  EXPECT(process_id != -1 && (ULONG)process_id != check->process_id);
  ULONG64 stamp, began = KeQueryInterruptTimePrecise(&stamp);
  LARGE_INTEGER interval = {.QuadPart = -MILLISECONDS(30)};
  EXPECT(KeDelayExecutionThread(KernelMode, FALSE, &interval) == STATUS_SUCCESS);
  EXPECT(KeQueryInterruptTimePrecise(&stamp) - began >= (ULONG64)MILLISECONDS(29));
}

struct job {
  WORK_QUEUE_ITEM item;
  KEVENT done;
  PDEVICE_OBJECT device;
  HANDLE thread;
  volatile LONG count;
};

static VOID NTAPI do_job(PDEVICE_OBJECT device, PVOID context) {
  struct job *job = context;
  job->device = device;
  job->thread = PsGetCurrentThreadId();
  InterlockedIncrement(&job->count);
  KeSetEvent(&job->done, IO_NO_INCREMENT, FALSE);
}

static VOID NTAPI do_job_without_device(PVOID context) { do_job(NULL, context); }

VOID work_items(struct check *check) {
  struct job job = {0};
  KeInitializeEvent(&job.done, SynchronizationEvent, FALSE);
  PIO_WORKITEM item = IoAllocateWorkItem(check->device);
  REQUIRE(item != NULL);
  for (LONG round = 1; round <= 20; round++) {
    IoQueueWorkItem(item, do_job, DelayedWorkQueue, &job);
    EXPECT(is_signalled_soon(&job.done) && job.count == round);
  }
  EXPECT(job.device == check->device && job.thread != PsGetCurrentThreadId());
  IoFreeWorkItem(item);
  ExInitializeWorkItem(&job.item, do_job_without_device, &job);
  ExQueueWorkItem(&job.item, DelayedWorkQueue);
  EXPECT(is_signalled_soon(&job.done) && job.count == 21 && job.device == NULL);
  EXPECT(job.thread != PsGetCurrentThreadId());
}
