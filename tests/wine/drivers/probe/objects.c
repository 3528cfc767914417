/* Objects and their references, callback objects, and who calls. */
#include "probe.h"

VOID objects(struct check *check) {
  KEVENT end;
  /* A device of the driver's own: what is referenced as often as it is dereferenced is as before. */
  ObReferenceObject(check->device);
  ObDereferenceObject(check->device);
  EXPECT(ObReferenceObjectByPointer(check->device, 0, NULL, KernelMode) == STATUS_SUCCESS);
  EXPECT(ObReferenceObjectByPointer(check->device, 0, OBJECT_TYPE_IN(IoDeviceObjectType), KernelMode) == STATUS_SUCCESS);
  ObDereferenceObject(check->device);
  ObDereferenceObject(check->device);
  EXPECT(ObReferenceObjectByPointer(check->device, 0, OBJECT_TYPE_IN(IoFileObjectType), KernelMode) ==
         STATUS_OBJECT_TYPE_MISMATCH);
  EXPECT(check->device->DriverObject != NULL);
  /* An object behind a handle. */
  KeInitializeEvent(&end, NotificationEvent, FALSE);
  HANDLE handle;
  PKEVENT event = NULL;
  REQUIRE(NT_SUCCESS(ZwCreateEvent(&handle, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE)));
  EXPECT(ObReferenceObjectByHandle(handle, EVENT_ALL_ACCESS, OBJECT_TYPE_IN(IoFileObjectType), KernelMode, (PVOID *)&event, NULL) ==
         STATUS_OBJECT_TYPE_MISMATCH);
  REQUIRE(NT_SUCCESS(ObReferenceObjectByHandle(handle, EVENT_ALL_ACCESS, OBJECT_TYPE_IN(ExEventObjectType), KernelMode, (PVOID *)&event, NULL)));
  EXPECT(NT_SUCCESS(ZwClose(handle)));
  EXPECT(!is_signalled_now(event));
  KeSetEvent(event, IO_NO_INCREMENT, FALSE);
  EXPECT(is_signalled_now(event));
  ObDereferenceObject(event);
}

struct heard {
  LONG order;
  LONG first;
  LONG second;
  PVOID argument1;
  PVOID argument2;
};

static VOID NTAPI hear_first(PVOID context, PVOID argument1, PVOID argument2) {
  struct heard *heard = context;
  heard->first = ++heard->order;
  heard->argument1 = argument1;
  heard->argument2 = argument2;
}

static VOID NTAPI hear_second(PVOID context, PVOID argument1, PVOID argument2) {
  struct heard *heard = context;
  UNREFERENCED_PARAMETER(argument1);
  UNREFERENCED_PARAMETER(argument2);
  heard->second = ++heard->order;
}

static NTSTATUS create(PCALLBACK_OBJECT *object, PCWSTR text, BOOLEAN create, BOOLEAN several) {
  UNICODE_STRING name;
  OBJECT_ATTRIBUTES attributes;
  RtlInitUnicodeString(&name, text);
  InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE, NULL, NULL);
  *object = NULL;
  return ExCreateCallback(object, &attributes, create, several);
}

VOID callbacks(struct check *check) {
  PCALLBACK_OBJECT object, same, single;
  struct heard heard = {0};
  EXPECT(create(&object, L"\\Callback\\Probe", FALSE, TRUE) == STATUS_OBJECT_NAME_NOT_FOUND);
  REQUIRE(create(&object, L"\\Callback\\Probe", TRUE, TRUE) == STATUS_SUCCESS && object != NULL);
  EXPECT(create(&same, L"\\CALLBACK\\probe", FALSE, TRUE) == STATUS_SUCCESS && same == object);
  ExNotifyCallback(object, NULL, NULL);
  PVOID first = ExRegisterCallback(object, hear_first, &heard), second = ExRegisterCallback(same, hear_second, &heard);
  EXPECT(first != NULL && second != NULL && first != second);
  ExNotifyCallback(object, (PVOID)1, (PVOID)2);
  EXPECT(heard.first == 1 && heard.second == 2 && heard.argument1 == (PVOID)1 && heard.argument2 == (PVOID)2);
  ExUnregisterCallback(first);
  ExNotifyCallback(same, NULL, NULL);
  EXPECT(heard.order == 3 && heard.second == 3);
  /* It lives as long as it is referenced or registered with, and then its name is free. */
  ObDereferenceObject(object);
  ObDereferenceObject(same);
  EXPECT(create(&same, L"\\Callback\\Probe", FALSE, TRUE) == STATUS_SUCCESS && same == object);
  ObDereferenceObject(same);
  ExUnregisterCallback(second);
  EXPECT(create(&same, L"\\Callback\\Probe", FALSE, TRUE) == STATUS_OBJECT_NAME_NOT_FOUND);
  /* One that is for one listener only. */
  REQUIRE(create(&single, L"\\Callback\\ProbeSingle", TRUE, FALSE) == STATUS_SUCCESS && single != NULL);
  first = ExRegisterCallback(single, hear_first, &heard);
  EXPECT(first != NULL && ExRegisterCallback(single, hear_second, &heard) == NULL);
  ExUnregisterCallback(first);
  ObDereferenceObject(single);
}

struct slow_call {
  PCALLBACK_OBJECT object;
  KEVENT entered;
  volatile LONG released;
  volatile LONG ended;
};

static VOID NTAPI call_slowly(PVOID context, PVOID argument1, PVOID argument2) {
  struct slow_call *call = context;
  UNREFERENCED_PARAMETER(argument1);
  UNREFERENCED_PARAMETER(argument2);
  KeSetEvent(&call->entered, IO_NO_INCREMENT, FALSE);
  reaches(&call->released, 1);
  call->ended = 1;
}

static VOID NTAPI notify(PVOID context) {
  ExNotifyCallback(((struct slow_call *)context)->object, NULL, NULL);
  PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID NTAPI release_later(PVOID context) {
  delay(20);
  ((struct slow_call *)context)->released = 1;
  PsTerminateSystemThread(STATUS_SUCCESS);
}

/* Who unregisters may free what the routine uses: a call that is under way has ended by then. */
VOID callback_waits(struct check *check) {
  struct slow_call call = {0};
  KeInitializeEvent(&call.entered, NotificationEvent, FALSE);
  REQUIRE(create(&call.object, L"\\Callback\\ProbeSlow", TRUE, TRUE) == STATUS_SUCCESS && call.object != NULL);
  PVOID registration = ExRegisterCallback(call.object, call_slowly, &call);
  REQUIRE(registration != NULL);
  PVOID notifier = start_thread(notify, &call);
  EXPECT(is_signalled_soon(&call.entered));
  PVOID releaser = start_thread(release_later, &call);
  ExUnregisterCallback(registration);
  EXPECT(call.ended);
  EXPECT(join_thread(notifier) && join_thread(releaser));
  ObDereferenceObject(call.object);
}

struct caller {
  PIRP irp;
  LONG mode;
  ULONG requestor;
  ULONG requestor_of_nobody;
};

static VOID NTAPI call_from_thread(PVOID context) {
  struct caller *caller = context;
  caller->mode = ExGetPreviousMode();
  caller->requestor = IoGetRequestorProcessId(caller->irp);
  PIRP irp = IoAllocateIrp(1, FALSE);
  if (irp != NULL) {
    caller->requestor_of_nobody = IoGetRequestorProcessId(irp);
    IoFreeIrp(irp);
  }
  PsTerminateSystemThread(STATUS_SUCCESS);
}

VOID requestors(struct check *check) {
  struct caller caller = {.irp = check->irp, .mode = -1, .requestor_of_nobody = 1};
  EXPECT(IoGetRequestorProcessId(check->irp) == check->process_id);
  EXPECT((ULONG)(ULONG_PTR)PsGetCurrentProcessId() == check->process_id);
  EXPECT(check->irp->RequestorMode == UserMode && ExGetPreviousMode() == UserMode);
  /* The request is the program's whoever looks at it, and a system thread is the kernel's. */
  EXPECT(join_thread(start_thread(call_from_thread, &caller)));
  EXPECT(caller.mode == KernelMode && caller.requestor == check->process_id);
  EXPECT(caller.requestor_of_nobody == 0);
}
